// A strategy applied to the accounts that may serve a payment: in which order they are tried, with what chance each could
// have been first, and why. Pure: everything that was learned comes in as readings.
//
//   reason        | why the first account is first
//   ordered       | the first of the rule's order that is open
//   split         | the payment's hash, among the open ones
//   best          | the best score
//   explore       | a bounded share of ordinary payments tells whether another account is better
//   probe         | an account that was out is asked whether it is back
//   none_healthy  | nobody is open: the rule's order, or the best score, of those that are out
//   declined      | the rule declines such payments: nobody is tried

import { choose, largestBenefit, type Choice, type Scored } from "./choose.ts"
import { explorationChance } from "./exploration.ts"
import { WELL, type AccountReading, type Readings } from "./readings.ts"
import { scoreAll } from "./score.ts"
import type { Strategy } from "./strategy.ts"
import type { HealthState } from "./signals/health-change.ts"

export type Reason = Choice["reason"] | "ordered" | "split" | "declined"

export type Selection = {
  /** Accounts in the order in which they are tried. */
  readonly order: readonly string[]
  readonly reason: Reason
  /** Chance that the payment went to each account first, after all gates, before the dice. */
  readonly propensities: Readonly<Record<string, number>>
  /** Of `optimize` alone. */
  readonly scored?: readonly Scored[]
  /** The chance that this payment had to explore. */
  readonly exploration?: number
}

/** What may be tried out with this payment, by its own nature: retries, MIT and delicate ones never carry an experiment. */
export type Nature = { readonly initiator: "customer" | "merchant"; readonly pinned: boolean }

export function select(strategy: Strategy, eligible: readonly string[], readings: Readings, nature: Nature): Selection {
  const calm = isOrdinary(readings, nature)
  const mayProbe = calm && readings.reroutable && eligible.length > 1
  switch (strategy.kind) {
    case "ordered":
      return inOrder(eligible, readings, mayProbe)
    case "split":
      return bySplit(strategy.shares, eligible, readings, mayProbe)
    case "optimize":
      return byScore(strategy, eligible, readings, calm, mayProbe)
    default:
      return strategy satisfies never
  }
}

/** Nobody experiments with retries, merchant's own, pinned, large or challenged payments. */
export const isOrdinary = ({ attempt, highValue, challenged }: Readings, { initiator, pinned }: Nature): boolean =>
  attempt === 1 && initiator === "customer" && !pinned && !challenged && !highValue

type Known = { readonly account: string; readonly reading: AccountReading }

const knownOf = (eligible: readonly string[], { accounts }: Readings): readonly Known[] =>
  eligible.map((account) => ({ account, reading: accounts[account] ?? WELL }))

/** The nearer to well, the earlier, where nobody is open. */
const tail: readonly HealthState[] = ["healthy", "suspect", "returning", "probing", "ejected"]

/** Who is out goes last, and so never is nobody left; one that returns gets its share by the payment's die. */
function sorted(
  known: readonly Known[],
  admission: number,
): { readonly open: readonly Known[]; readonly out: readonly Known[] } {
  const open = known.filter(({ reading }) => reading.share > admission)
  const out = known
    .filter(({ reading }) => reading.share <= admission)
    .toSorted((a, b) => tail.indexOf(a.reading.state) - tail.indexOf(b.reading.state))
  return { open, out }
}

const certain = (account: string | undefined): Chances => (account === undefined ? {} : { [account]: 1 })

function inOrder(eligible: readonly string[], readings: Readings, mayProbe: boolean): Selection {
  const known = knownOf(eligible, readings)
  const { open, out } = sorted(known, readings.dice.admission)
  const order = [...open, ...out].map(({ account }) => account)
  // A probe rides only where the account would come first if it were well.
  const first = known.find(({ reading }) => reading.share > 0 || reading.probeDue)
  if (mayProbe && first?.reading.probeDue === true) return probing(first.account, order)
  return {
    order,
    reason: open.length === 0 && known.length > 0 ? "none_healthy" : "ordered",
    propensities: mixed(known, (some, others) => certain((some[0] ?? others[0])?.account)),
  }
}

const probing = (account: string, order: readonly string[]): Selection => ({
  order: [account, ...order.filter((id) => id !== account)],
  reason: "probe",
  propensities: certain(account),
})

type Chances = Readonly<Record<string, number>>

/** Over the admission die too: whoever returns is open for a part of it, so the chance of each is a mixture. */
function mixed(
  known: readonly Known[],
  chancesOf: (open: readonly Known[], out: readonly Known[]) => Chances,
): Chances {
  const edges = [...new Set([0, 1, ...known.map(({ reading }) => reading.share)])].toSorted((a, b) => a - b)
  const chances: Record<string, number> = {}
  for (let i = 0; i + 1 < edges.length; i++) {
    const { open, out } = sorted(known, edges[i]!)
    for (const [account, chance] of Object.entries(chancesOf(open, out)))
      chances[account] = (chances[account] ?? 0) + chance * (edges[i + 1]! - edges[i]!)
  }
  return chances
}

type Shares = Extract<Strategy, { kind: "split" }>["shares"]

function bySplit(shares: Shares, eligible: readonly string[], readings: Readings, mayProbe: boolean): Selection {
  const known = knownOf(eligible, readings)
  const { split, admission } = readings.dice
  const { open, out } = sorted(known, admission)
  const order = [...open, ...out].map(({ account }) => account)
  const draw: Draw = {
    all: sharesOf(shares, known),
    isDue: (id) => mayProbe && readings.accounts[id]?.probeDue === true,
  }
  const first = firstBySplit(draw, sharesOf(shares, open), split)
  if (first !== undefined && draw.isDue(first))
    return { ...probing(first, order), propensities: splitChances(known, shares, draw) }
  return {
    order: first === undefined ? [] : [first, ...order.filter((id) => id !== first)],
    reason: open.length === 0 && known.length > 0 ? "none_healthy" : "split",
    propensities: splitChances(known, shares, draw),
  }
}

type Draw = { readonly all: Shares; readonly isDue: (account: string) => boolean }

const sharesOf = (shares: Shares, some: readonly Known[]): Shares =>
  shares.filter((s) => some.some(({ account }) => account === s.account))

/** Whose share the die falls into; where that one is out, who takes its place. A probe rides on the account's own share. */
function firstBySplit({ all, isDue }: Draw, open: Shares, die: number): string | undefined {
  const own = drawn(all, die)
  return own !== undefined && isDue(own) ? own : drawn(open.length > 0 ? open : all, die)
}

/** Exact: the die's outcome changes only at the edges of the shares of all accounts, and of the open ones. */
function splitChances(known: readonly Known[], shares: Shares, draw: Draw): Chances {
  return mixed(known, (some) => {
    const open = sharesOf(shares, some)
    const edges = [...new Set([...edgesOf(draw.all), ...edgesOf(open), 1])].toSorted((a, b) => a - b)
    const chances: Record<string, number> = {}
    for (let i = 0; i + 1 < edges.length; i++) {
      const [from, to] = [edges[i]!, edges[i + 1]!]
      const first = firstBySplit(draw, open, (from + to) / 2)
      if (first !== undefined) chances[first] = (chances[first] ?? 0) + to - from
    }
    return chances
  })
}

function edgesOf(shares: Shares): readonly number[] {
  const total = shares.reduce((sum, s) => sum + s.share, 0)
  if (total === 0) return [0]
  let passed = 0
  return [0, ...shares.map((s) => (passed += s.share) / total)]
}

/** Where nobody is left but those without a share, the first of them is taken rather than nobody. */
function drawn(shares: Shares, die: number): string | undefined {
  let left = die * shares.reduce((sum, s) => sum + s.share, 0)
  return (shares.find((s) => (left -= s.share) < 0) ?? shares[0])?.account
}

function byScore(
  strategy: Extract<Strategy, { kind: "optimize" }>,
  eligible: readonly string[],
  readings: Readings,
  calm: boolean,
  mayProbe: boolean,
): Selection {
  const { dice, exploration: budget } = readings
  const scored = scoreAll(eligible, readings, strategy.objective)
  const exploration = budget === undefined ? 0 : explorationChance(budget, calm, largestBenefit(scored))
  const { order, reason, propensities } = choose({ accounts: scored, exploration, mayProbe, dice })
  return {
    order: order.map((i) => eligible[i]!),
    reason,
    propensities: Object.fromEntries(propensities.map((p, i) => [eligible[i]!, p])),
    scored,
    exploration,
  }
}
