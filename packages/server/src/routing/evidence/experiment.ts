// An experiment as a value: arms that units are drawn into, what decides between them, what none of them may do, and when it
// stops by itself. Everything that is concluded is always valid: anybody may look at any time, and the chance of any false stop by a
// guardrail is at most `alpha`, over all guardrails, arms and looks; so is the chance that any arm's interval is ever wrong. Who wins
// is put into force by a person.
//
//   planned → running        started
//   running → running        assigned, measured
//   running → stopped        stopped (a guardrail, a broken sample ratio, its end, a person)
//   stopped → promoted       promoted, by a person
// Outcomes that come after the stop still count: they belong to units that were drawn while it ran.

import {
  differenceSequence,
  noDifference,
  type DifferenceSequence,
  type DifferenceState,
} from "./confidence-sequence.ts"
import { betterBy, type Guardrail, watchedMetrics, type WatchedMetric } from "./guardrail.ts"
import { sampleRatio } from "./sample-ratio.ts"

export const MAX_ARMS = 8

export type Arm = {
  readonly name: string
  /** Of the units; all sum up to one. */
  readonly share: number
  /** What runs in it: a version of the policy. */
  readonly policyVersion: number
}

export type Experiment = {
  /** Of its own, so that no two experiments split alike. */
  readonly salt: string
  /** What is drawn: every payment, or a customer with all of them. */
  readonly unit: "payment" | "customer"
  /** The first is the control. */
  readonly arms: readonly Arm[]
  readonly decidedBy: WatchedMetric
  readonly guardrails: readonly Guardrail[]
  readonly alpha: number
  /** It ends after so many units. */
  readonly maxUnits: number
}

export type StopReason =
  | {
      readonly kind: "guardrail"
      readonly arm: string
      readonly metric: WatchedMetric
      readonly margin: number
      /** The estimate when it stopped, treated − control. */
      readonly difference: number
    }
  | { readonly kind: "sample_ratio"; readonly logEvidence: number }
  | { readonly kind: "max_units" }
  | { readonly kind: "person"; readonly by: string; readonly note: string }

export type ExperimentEvent =
  | { readonly kind: "started"; readonly at: number }
  /** A unit was drawn into an arm for the first time. */
  | { readonly kind: "assigned"; readonly arm: number }
  /**
   * An outcome that is final. `first`: of the unit's first payment, which alone is evidence; the others are counted. Who has no
   * outcome in time is measured as not approved: leaving such out would hide an arm that answers late.
   */
  | {
      readonly kind: "measured"
      readonly arm: number
      readonly metric: WatchedMetric
      readonly value: number
      readonly first: boolean
    }
  | { readonly kind: "stopped"; readonly at: number; readonly reason: StopReason }
  | { readonly kind: "promoted"; readonly at: number; readonly arm: number; readonly by: string }

export type ExperimentState = {
  readonly experiment: Experiment
  readonly status: "planned" | "running" | "stopped" | "promoted"
  /** Units by arm. */
  readonly units: readonly number[]
  /** Outcomes of later payments of a unit, by arm. */
  readonly repeats: readonly number[]
  /** By challenger (arm 1 and up) and metric, against the control; those that are watched. */
  readonly differences: readonly Readonly<Partial<Record<WatchedMetric, DifferenceState>>>[]
  readonly startedAt?: number
  readonly stopped?: { readonly at: number; readonly reason: StopReason }
  readonly promoted?: { readonly at: number; readonly arm: string; readonly by: string }
}

const mayFollow: Readonly<Record<ExperimentEvent["kind"], readonly ExperimentState["status"][]>> = {
  started: ["planned"],
  assigned: ["running"],
  measured: ["running", "stopped", "promoted"],
  stopped: ["running"],
  promoted: ["stopped"],
}

export function planned(experiment: Experiment): ExperimentState {
  const { arms } = experiment
  const watched = watchedBy(experiment)
  return {
    experiment,
    status: "planned",
    units: arms.map(() => 0),
    repeats: arms.map(() => 0),
    differences: arms.slice(1).map(() => Object.fromEntries(watched.map((metric) => [metric, noDifference]))),
  }
}

/** Throws a RangeError for an event that cannot follow: whoever makes events has asked `status` first. */
export function evolve(state: ExperimentState, event: ExperimentEvent): ExperimentState {
  if (!mayFollow[event.kind].includes(state.status))
    throw new RangeError(`${event.kind} cannot follow on an experiment that is ${state.status}`)
  switch (event.kind) {
    case "started":
      return { ...state, status: "running", startedAt: event.at }
    case "assigned":
      return { ...state, units: raised(state.units, event.arm) }
    case "measured":
      return event.first ? measured(state, event) : { ...state, repeats: raised(state.repeats, event.arm) }
    case "stopped":
      return { ...state, status: "stopped", stopped: { at: event.at, reason: event.reason } }
    case "promoted": {
      const arm = state.experiment.arms[event.arm]
      if (arm === undefined) throw new RangeError(`there is no arm ${event.arm}`)
      return { ...state, status: "promoted", promoted: { at: event.at, arm: arm.name, by: event.by } }
    }
    default:
      return event satisfies never
  }
}

const raised = (counts: readonly number[], arm: number): readonly number[] => counts.with(arm, counts[arm]! + 1)

/** The control's outcomes count in every comparison, a challenger's in its own. */
function measured(
  state: ExperimentState,
  { arm, metric, value }: Extract<ExperimentEvent, { kind: "measured" }>,
): ExperimentState {
  const differences = state.differences.map((byMetric, index) => {
    const before = byMetric[metric]
    if (before === undefined || (arm !== 0 && arm !== index + 1)) return byMetric
    const { judge } = sequencesOf(state.experiment, index + 1, metric)
    return { ...byMetric, [metric]: judge.observed(before, arm !== 0, value) }
  })
  return { ...state, differences }
}

type AutomaticStop = Exclude<StopReason, { readonly kind: "person" }>

/** Whether it has to stop now, and why. Of several reasons the gravest. */
export function automaticStop(state: ExperimentState): AutomaticStop | undefined {
  if (state.status !== "running") return undefined
  const { experiment, units, differences } = state
  const ratio = sampleRatio(
    units,
    experiment.arms.map(({ share }) => share),
  )
  if (ratio.isBroken) return { kind: "sample_ratio", logEvidence: ratio.logEvidence }
  for (const [index, byMetric] of differences.entries())
    for (const { metric, margin } of experiment.guardrails) {
      const so = byMetric[metric]
      if (so === undefined) continue
      const { guard } = sequencesOf(experiment, index + 1, metric)
      const isWorse =
        watchedMetrics[metric].better === "higher" ? guard.isBelow(so, -margin) : guard.isAbove(so, margin)
      if (isWorse)
        return {
          kind: "guardrail",
          arm: experiment.arms[index + 1]!.name,
          metric,
          margin,
          difference: guard.estimate(so) ?? 0,
        }
    }
  return units.reduce((sum, count) => sum + count, 0) >= experiment.maxUnits ? { kind: "max_units" } : undefined
}

export type Comparison = {
  readonly arm: string
  readonly metric: WatchedMetric
  readonly control: { readonly n: number; readonly mean: number | undefined }
  readonly treated: { readonly n: number; readonly mean: number | undefined }
  /** Treated − control. */
  readonly difference: number | undefined
  readonly interval: { readonly low: number; readonly high: number } | undefined
  /** Values beyond the metric's range, counted as its end. */
  readonly cut: number
  readonly verdict: "better" | "worse" | "no_verdict"
  /** Whether it is certainly not worse than the guardrail's margin; absent where no guardrail watches it. */
  readonly isWithinMargin?: boolean
}

export type ExperimentResults = {
  readonly status: ExperimentState["status"]
  readonly arms: readonly {
    readonly name: string
    readonly share: number
    readonly units: number
    readonly repeats: number
  }[]
  readonly sampleRatio: { readonly logEvidence: number; readonly isBroken: boolean }
  readonly comparisons: readonly Comparison[]
}

export function resultsOf({ experiment, status, units, repeats, differences }: ExperimentState): ExperimentResults {
  const { arms, guardrails } = experiment
  return {
    status,
    arms: arms.map(({ name, share }, arm) => ({ name, share, units: units[arm]!, repeats: repeats[arm]! })),
    sampleRatio: sampleRatio(
      units,
      arms.map(({ share }) => share),
    ),
    comparisons: differences.flatMap((byMetric, index) =>
      watchedBy(experiment).map((metric): Comparison => {
        const so = byMetric[metric] ?? noDifference
        const { judge, guard } = sequencesOf(experiment, index + 1, metric)
        const interval = judge.interval(so)
        const guardrail = guardrails.find((one) => one.metric === metric)
        const isHigher = watchedMetrics[metric].better === "higher"
        return {
          arm: arms[index + 1]!.name,
          metric,
          control: side(so.control),
          treated: side(so.treated),
          difference: judge.estimate(so),
          interval,
          cut: so.cut,
          verdict: verdictOf(metric, interval),
          ...(guardrail === undefined
            ? {}
            : {
                isWithinMargin: isHigher ? guard.isAbove(so, -guardrail.margin) : guard.isBelow(so, guardrail.margin),
              }),
        }
      }),
    ),
  }
}

const side = ({ n, sum }: { readonly n: number; readonly sum: number }) => ({ n, mean: n === 0 ? undefined : sum / n })

function verdictOf(metric: WatchedMetric, interval: Comparison["interval"]): Comparison["verdict"] {
  if (interval === undefined || (interval.low <= 0 && interval.high >= 0)) return "no_verdict"
  return betterBy(metric, interval.low) > 0 ? "better" : "worse"
}

const watchedBy = ({ decidedBy, guardrails }: Experiment): readonly WatchedMetric[] => [
  ...new Set([decidedBy, ...guardrails.map(({ metric }) => metric)]),
]

type Sequences = { readonly judge: DifferenceSequence; readonly guard: DifferenceSequence }
const known = new WeakMap<Experiment, Map<string, Sequences>>()

/** `alpha` is shared evenly by everything that could err (Bonferroni): comparisons here, guardrails there. */
function sequencesOf(experiment: Experiment, arm: number, metric: WatchedMetric): Sequences {
  let ofExperiment = known.get(experiment)
  if (ofExperiment === undefined) known.set(experiment, (ofExperiment = new Map()))
  const key = `${arm} ${metric}`
  let made = ofExperiment.get(key)
  if (made === undefined) {
    const { arms, alpha, guardrails } = experiment
    const share = arms[arm]!.share / (arms[arm]!.share + arms[0]!.share)
    const { range } = watchedMetrics[metric]
    const challengers = arms.length - 1
    made = {
      judge: differenceSequence({ share, range, alpha: alpha / (challengers * watchedBy(experiment).length) }),
      guard: differenceSequence({ share, range, alpha: alpha / (challengers * Math.max(1, guardrails.length)) }),
    }
    ofExperiment.set(key, made)
  }
  return made
}
