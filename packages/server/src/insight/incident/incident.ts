// Incidents: one per cause, however many slices it shows in. Pure: each minute's causes come in (cause/explain.ts, over the
// traffic that alarmed), incidents and what happened to them go out.
//
//   from        to          when
//   –           suspected   a cause is seen that no live incident covers
//   suspected   open        it was seen in as many minutes as flap control asks for, and costs more than trivia
//   suspected   (dropped)   it was not seen for ten minutes
//   open        recovering  it is not seen, or the recovery test says that it is as usual
//   recovering  open        it is seen again: the same incident, told to nobody
//   recovering  resolved    ten minutes without it
//   resolved    open        it comes back within half an hour: the same incident, reopened
//   any live    merged      a wider cause turns out to cover it
//
// A cause covers another where every slice of the other lies within one of its own. A wider cause widens the incident; a
// narrower one is part of it and opens nothing. Acknowledging and snoozing change who is told, never what is.

import assert from "node:assert/strict"
import type { Fault } from "../cause/fault.ts"

export type Where = Readonly<Record<string, string>>

/** A cause as one minute shows it. */
export type Seen = {
  readonly where: readonly Where[]
  readonly fault: Fault
  /** In this minute. */
  readonly lostApprovals: number
  /** Their amount, in minor units of the merchant's reporting currency. */
  readonly lostAmount: bigint
  /** Minute in which it began, as far as it can be told. */
  readonly onset: number
}

export type IncidentState = "suspected" | "open" | "recovering" | "resolved" | "merged"
export type Severity = 1 | 2 | 3

export type Incident = {
  readonly id: number
  readonly state: IncidentState
  readonly where: readonly Where[]
  readonly fault: Fault
  readonly onset: number
  readonly openedAt?: number
  readonly lastSeenAt: number
  readonly resolvedAt?: number
  /** Minutes in which it was seen. */
  readonly seenMinutes: number
  readonly lostApprovals: number
  readonly lostAmount: bigint
  /** Lost approvals a minute, smoothed over about ten minutes: what severity is made of. */
  readonly pace: number
  /** The worst it has been. */
  readonly severity: Severity
  readonly reopened: number
  readonly acknowledgedBy?: string
  readonly snoozedUntil?: number
  readonly mergedInto?: number
}

export type Happening = {
  readonly type: "opened" | "widened" | "escalated" | "reopened" | "resolved" | "merged"
  readonly incident: Incident
  readonly minute: number
  /** Whether somebody should be told: snoozed and acknowledged incidents are quiet, except when they get worse or end. */
  readonly notify: boolean
}

export type Incidents = {
  readonly nextId: number
  /** Live ones, and those resolved so recently that they may come back. */
  readonly known: readonly Incident[]
}

export type Settings = {
  /** Minutes in which a cause must be seen before it opens. */
  readonly openAfterMinutes: number
  /** Lost approvals below which nothing opens. */
  readonly minLost: number
  /** Lost approvals a minute from which severity is 1 and 2. */
  readonly severities: readonly [number, number]
}

export const defaultSettings: Settings = { openAfterMinutes: 2, minLost: 5, severities: [10, 1] }
export const noIncidents: Incidents = { nextId: 1, known: [] }

/** Live incidents at once; further causes wait until one is over, which is counted nowhere but in the causes themselves. */
export const MAX_LIVE = 100
export const FORGET_SUSPECTED_MINUTES = 10
export const RECOVERY_MINUTES = 10
export const REOPEN_MINUTES = 30
const PACE_MEMORY = 0.9

export function passMinute(
  incidents: Incidents,
  minute: number,
  seen: readonly Seen[],
  settings: Settings = defaultSettings,
): { readonly incidents: Incidents; readonly happened: readonly Happening[] } {
  const happened: Happening[] = []
  const tell = (type: Happening["type"], incident: Incident): void => {
    const isQuiet =
      (incident.snoozedUntil ?? 0) > minute || (incident.acknowledgedBy !== undefined && type === "widened")
    happened.push({ type, incident, minute, notify: type !== "merged" && type !== "widened" && !isQuiet })
  }
  let { nextId } = incidents
  const known = new Map(incidents.known.map((incident) => [incident.id, incident]))
  const touched = new Set<number>()

  // Wide causes first: what they cover is part of them.
  for (const cause of seen.toSorted((x, y) => fixedOf(x.where) - fixedOf(y.where))) {
    const candidates = [...known.values()].filter((one) => one.state !== "merged").toSorted((x, y) => x.id - y.id)
    // Part of one that is known: of the first, where several cover it. Otherwise those that it covers become one.
    const covering = candidates.find((one) => covers(one.where, cause.where))
    const [main, ...others] =
      covering === undefined ? candidates.filter((one) => covers(cause.where, one.where)) : [covering]
    if (main === undefined) {
      if (liveOf(known.values()).length >= MAX_LIVE) continue
      known.set(nextId, suspected(nextId, cause, minute))
      touched.add(nextId++)
      continue
    }
    const widens = covering === undefined
    let next = touched.has(main.id) ? plus(main, cause) : again(main, cause, minute)
    touched.add(main.id)
    if (widens) next = { ...next, where: cause.where, fault: cause.fault }
    for (const other of others) {
      const merged: Incident = { ...other, state: "merged", mergedInto: main.id }
      known.set(other.id, merged)
      if (other.state === "open" || other.state === "recovering") tell("merged", merged)
      next = {
        ...next,
        lostApprovals: next.lostApprovals + other.lostApprovals,
        lostAmount: next.lostAmount + other.lostAmount,
      }
    }
    if (widens && main.state !== "suspected") tell("widened", next)
    known.set(main.id, next)
  }

  for (const incident of known.values()) {
    const next = turned(
      touched.has(incident.id) ? incident : slower(incident),
      minute,
      touched.has(incident.id),
      settings,
    )
    if (next === undefined) {
      known.delete(incident.id)
      continue
    }
    known.set(incident.id, next)
    if (next.state === "open" && incident.state === "suspected") tell("opened", next)
    else if (next.state === "open" && next.severity < incident.severity) tell("escalated", next)
    if (next.state === "resolved" && incident.state !== "resolved") tell("resolved", next)
    if (next.reopened > incident.reopened) tell("reopened", next)
  }
  return { incidents: { nextId, known: [...known.values()] }, happened }
}

/** Somebody looks after it. */
export const acknowledge = (incidents: Incidents, id: number, by: string): Incidents =>
  changed(incidents, id, (incident) => ({ ...incident, acknowledgedBy: by }))

/** Nobody is told before this minute. */
export const snooze = (incidents: Incidents, id: number, until: number): Incidents =>
  changed(incidents, id, (incident) => ({ ...incident, snoozedUntil: until }))

function changed(incidents: Incidents, id: number, change: (incident: Incident) => Incident): Incidents {
  assert(
    incidents.known.some((incident) => incident.id === id),
    `incident ${id} is not known`,
  )
  return { ...incidents, known: incidents.known.map((one) => (one.id === id ? change(one) : one)) }
}

export const isLive = ({ state }: Incident): boolean =>
  state === "suspected" || state === "open" || state === "recovering"
const liveOf = (all: Iterable<Incident>): readonly Incident[] => [...all].filter(isLive)

function suspected(id: number, cause: Seen, minute: number): Incident {
  return {
    id,
    state: "suspected",
    where: cause.where,
    fault: cause.fault,
    onset: cause.onset,
    lastSeenAt: minute,
    seenMinutes: 1,
    lostApprovals: cause.lostApprovals,
    lostAmount: cause.lostAmount,
    pace: cause.lostApprovals,
    severity: 3,
    reopened: 0,
  }
}

/** Seen in one more minute. */
function again(incident: Incident, cause: Seen, minute: number): Incident {
  const pace = PACE_MEMORY * incident.pace + (1 - PACE_MEMORY) * cause.lostApprovals
  return { ...plus(incident, cause), lastSeenAt: minute, seenMinutes: incident.seenMinutes + 1, pace }
}

/** Another part of it in the same minute. */
const plus = (incident: Incident, cause: Seen): Incident => ({
  ...incident,
  onset: Math.min(incident.onset, cause.onset),
  lostApprovals: incident.lostApprovals + cause.lostApprovals,
  lostAmount: incident.lostAmount + cause.lostAmount,
})

const slower = (incident: Incident): Incident => ({ ...incident, pace: PACE_MEMORY * incident.pace })

/** Where an incident stands after the minute; undefined where it is forgotten. */
function turned(incident: Incident, minute: number, isSeen: boolean, settings: Settings): Incident | undefined {
  const unseen = minute - incident.lastSeenAt
  const severity = Math.min(incident.severity, severityOf(incident.pace, settings)) as Severity
  switch (incident.state) {
    case "suspected":
      if (unseen >= FORGET_SUSPECTED_MINUTES) return undefined
      return isSeen && incident.seenMinutes >= settings.openAfterMinutes && incident.lostApprovals >= settings.minLost
        ? { ...incident, state: "open", openedAt: minute, severity }
        : incident
    case "open":
      return isSeen ? { ...incident, severity } : { ...incident, state: "recovering" }
    case "recovering":
      if (isSeen) return { ...incident, state: "open", severity }
      return unseen >= RECOVERY_MINUTES ? { ...incident, state: "resolved", resolvedAt: minute } : incident
    case "resolved": {
      if (!isSeen) return minute - incident.resolvedAt! > REOPEN_MINUTES ? undefined : incident
      const { resolvedAt: _resolvedAt, ...rest } = incident
      return { ...rest, state: "open", severity, reopened: incident.reopened + 1 }
    }
    case "merged":
      return isSeen ? incident : unseen > REOPEN_MINUTES ? undefined : incident
    default:
      return incident.state satisfies never
  }
}

const severityOf = (pace: number, { severities: [first, second] }: Settings): Severity =>
  pace >= first ? 1 : pace >= second ? 2 : 3

/** Whether every slice of `inner` lies within one of `outer`. */
export const covers = (outer: readonly Where[], inner: readonly Where[]): boolean =>
  inner.every((slice) => outer.some((wide) => Object.entries(wide).every(([name, value]) => slice[name] === value)))

const fixedOf = (where: readonly Where[]): number => Object.keys(where[0] ?? {}).length
