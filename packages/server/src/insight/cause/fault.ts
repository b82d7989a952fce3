// Whose fault a cause is. A slice names where it hurts, not who does it: where most of a bank's traffic goes through one
// provider, a failing bank looks like a failing provider. With several providers there is a natural experiment: the same
// issuers and BINs through the others, and the provider's other traffic.
//
//   the cause fixes  | the same cards elsewhere    | the fault is
//   provider         | fare well                   | the provider's (or, by the codes, the merchant's set-up there)
//   provider         | fail as well                | not its: what else the cause fixes, else outside
//   provider         | are hardly any              | not known: provider or issuer
//   issuer or BIN    | fail at several providers   | the issuer's
//   issuer or BIN    | fail at one, well at others | the provider's, on its way to that issuer
//   issuer or BIN    | go through one provider     | the issuer's if the provider's other cards fare well, and only likely
//   network          | –                           | the network's
//   merchant's own dimensions (label, rule, …)     | the merchant's
//   customer's (country, amount, method)           | the customer's
//   nothing                                        | outside these dimensions

import type { DeclineFault } from "../../core/decline.ts"
import { isIn, type Element, type Leaves } from "./leaves.ts"

export type Role = "provider" | "issuer" | "network" | "merchant" | "customer"
export type Fault = Role | "outside" | "cannot_tell"

/** Which role each dimension of the attempt fact plays, and how fine it is within it: BINs before issuers before countries. */
export const roles: Readonly<Record<string, { readonly role: Role; readonly fineness: number }>> = {
  provider: { role: "provider", fineness: 1 },
  account: { role: "provider", fineness: 2 },
  api_version: { role: "provider", fineness: 2 },
  operation: { role: "provider", fineness: 1 },
  bin: { role: "issuer", fineness: 3 },
  issuer: { role: "issuer", fineness: 2 },
  card_country: { role: "issuer", fineness: 1 },
  funding: { role: "issuer", fineness: 0 },
  network: { role: "network", fineness: 1 },
  merchant: { role: "merchant", fineness: 1 },
  label: { role: "merchant", fineness: 1 },
  policy: { role: "merchant", fineness: 1 },
  policy_version: { role: "merchant", fineness: 1 },
  rule: { role: "merchant", fineness: 1 },
  arm: { role: "merchant", fineness: 1 },
  initiator: { role: "merchant", fineness: 1 },
  three_ds_asked: { role: "merchant", fineness: 1 },
  method: { role: "customer", fineness: 1 },
  currency: { role: "customer", fineness: 1 },
  amount_band: { role: "customer", fineness: 1 },
  customer_country: { role: "customer", fineness: 1 },
}

export type Compared = {
  readonly what: "here" | "same_cards_elsewhere" | "same_provider_other_cards"
  readonly failures: number
  readonly expected: number
  /** Whether it fails as the cause does: `unclear` where there is too little of it. */
  readonly fares: "well" | "badly" | "unclear"
}

export type Verdict = {
  readonly fault: Fault
  /** `shown` by a comparison, `likely` where only the slice or the codes speak. */
  readonly certainty: "shown" | "likely" | "none"
  readonly evidence: readonly Compared[]
}

export type Attempts = {
  readonly leaves: Leaves
  /** Failures per leaf, observed and expected. */
  readonly failures: Float64Array
  readonly expected: Float64Array
}

/** Nats by which "as bad as here" and "as ever" must differ. */
const CLEAR = 3
/** A share of the excess from which codes speak for a fault. */
const BY_CODES = 0.6
/** Other providers carry less than this share of the cause's traffic: it all goes through one. */
const ONE_WAY = 0.02

export function faultOf(
  attempts: Attempts,
  elements: readonly Element[],
  codes: ReadonlyMap<DeclineFault | "engine", number> = new Map(),
): Verdict {
  const { leaves } = attempts
  const fixed = (elements[0] ?? []).map(({ dimension }) => dimension)
  const roleAt = (dimension: number): Role | undefined => roles[leaves.dimensions[dimension]!.name]?.role
  const has = (role: Role): boolean => fixed.some((dimension) => roleAt(dimension) === role)
  if (elements.length === 0) return { fault: byCodes(codes) ?? "outside", certainty: "likely", evidence: [] }

  const inCause = (leaf: number): boolean => elements.some((element) => isIn(leaves, element, leaf))
  const here = sumWhere(attempts, inCause)
  const ratio = here.failures / Math.max(here.expected, 1e-9)
  const compared = (what: Compared["what"], test: (leaf: number) => boolean): Compared => {
    const { failures, expected } = sumWhere(attempts, test)
    return { what, failures, expected, fares: faring(failures, expected, ratio) }
  }
  const evidence: Compared[] = [{ what: "here", ...here, fares: "badly" }]
  const verdict = (fault: Fault, certainty: Verdict["certainty"]): Verdict => ({ fault, certainty, evidence })
  const otherwise =
    has("network") && !isFine(leaves, fixed)
      ? "network"
      : has("issuer")
        ? "issuer"
        : has("network")
          ? "network"
          : has("merchant")
            ? "merchant"
            : has("customer")
              ? "customer"
              : undefined

  if (has("provider")) {
    const elsewhere = compared("same_cards_elsewhere", sameCardsElsewhere(attempts, elements, inCause))
    evidence.push(elsewhere)
    switch (elsewhere.fares) {
      case "well":
        return verdict(merchantsSetup(codes) ? "merchant" : "provider", "shown")
      case "badly":
        return verdict(otherwise ?? byCodes(codes) ?? "outside", "shown")
      case "unclear":
        return merchantsSetup(codes)
          ? verdict("merchant", "likely")
          : verdict(byCodes(codes) ?? "cannot_tell", byCodes(codes) === undefined ? "none" : "likely")
      default:
        return elsewhere.fares satisfies never
    }
  }
  if (otherwise === undefined) return verdict("outside", "likely")
  if (otherwise !== "issuer" && otherwise !== "network") return verdict(otherwise, "shown")
  const ways = providersIn(attempts, inCause, ratio)
  if (ways === undefined) return verdict(otherwise, "likely")
  const { affected, well, main } = ways
  if (affected.length >= 2) return verdict(otherwise, "shown")
  const rest = compared("same_provider_other_cards", (leaf) => main(leaf) && !inCause(leaf))
  evidence.push(rest)
  if (affected.length === 1 && well.length > 0) {
    evidence.push({ what: "same_cards_elsewhere", ...sumOf(well), fares: "well" })
    return verdict("provider", "shown")
  }
  if (rest.fares === "badly") return verdict("provider", "likely")
  return rest.fares === "well" ? verdict(otherwise, "likely") : verdict("cannot_tell", "none")
}

/** The cards of the cause's leaves (as finely as they are known) and whatever else it fixes, at other providers. */
function sameCardsElsewhere({ leaves }: Attempts, elements: readonly Element[], inCause: (leaf: number) => boolean) {
  const roleAt = (dimension: number): Role | undefined => roles[leaves.dimensions[dimension]!.name]?.role
  const other = elements.map((element) => element.filter(({ dimension }) => roleAt(dimension) !== "provider"))
  const card = finest(leaves, "issuer")
  const cards = new Set<number>()
  if (card !== undefined)
    for (let leaf = 0; leaf < leaves.size; leaf++) if (inCause(leaf)) cards.add(leaves.dimensions[card]!.codes[leaf]!)
  return (leaf: number): boolean =>
    !inCause(leaf) &&
    (card === undefined || cards.has(leaves.dimensions[card]!.codes[leaf]!)) &&
    other.some((element) => isIn(leaves, element, leaf))
}

type Way = { readonly failures: number; readonly expected: number; readonly code: number }

/** How the cause fares through each provider; undefined where providers are not told apart. */
function providersIn(attempts: Attempts, inCause: (leaf: number) => boolean, ratio: number) {
  const { leaves } = attempts
  const at = finest(leaves, "provider")
  if (at === undefined) return undefined
  const { codes, values } = leaves.dimensions[at]!
  const ways = values
    .keys()
    .map((code): Way => ({ code, ...sumWhere(attempts, (leaf) => codes[leaf] === code && inCause(leaf)) }))
  const all = ways.toArray().toSorted((x, y) => y.expected - x.expected)
  const total = all.reduce((sum, { expected }) => sum + expected, 0)
  const real = all.filter(({ expected }) => expected >= ONE_WAY * total)
  const fares = (way: Way): Compared["fares"] => faring(way.failures, way.expected, ratio)
  const main = real[0]?.code
  return {
    affected: real.filter((way) => fares(way) === "badly"),
    well: real.filter((way) => fares(way) === "well"),
    main: (leaf: number): boolean => codes[leaf] === main,
  }
}

/** "As bad as here" (θ times the expected failures) against "as ever", for Poisson counts. */
function faring(failures: number, expected: number, ratio: number): Compared["fares"] {
  const nats = failures * Math.log(Math.max(ratio, 1 + 1e-9)) - expected * (ratio - 1)
  return nats >= CLEAR ? "badly" : nats <= -CLEAR ? "well" : "unclear"
}

function finest(leaves: Leaves, role: Role): number | undefined {
  let best: number | undefined
  for (const [at, { name }] of leaves.dimensions.entries()) {
    const known = roles[name]
    if (known?.role !== role) continue
    if (best === undefined || known.fineness > roles[leaves.dimensions[best]!.name]!.fineness) best = at
  }
  return best
}

/** An issuer or a BIN is fixed, not only its country or kind: within one network that is the issuer. */
const isFine = (leaves: Leaves, fixed: readonly number[]): boolean =>
  fixed.some((dimension) => {
    const known = roles[leaves.dimensions[dimension]!.name]
    return known?.role === "issuer" && known.fineness >= 2
  })

const merchantsSetup = (codes: ReadonlyMap<DeclineFault | "engine", number>): boolean =>
  (codes.get("merchant") ?? 0) >= BY_CODES

function byCodes(codes: ReadonlyMap<DeclineFault | "engine", number>): Role | undefined {
  for (const role of ["provider", "issuer", "network", "merchant", "customer"] as const)
    if ((codes.get(role) ?? 0) >= BY_CODES) return role
  return undefined
}

function sumWhere({ leaves, failures, expected }: Attempts, test: (leaf: number) => boolean) {
  const sum = { failures: 0, expected: 0 }
  for (let leaf = 0; leaf < leaves.size; leaf++) {
    if (!test(leaf)) continue
    sum.failures += failures[leaf]!
    sum.expected += expected[leaf]!
  }
  return sum
}

const sumOf = (ways: readonly Way[]) => ({
  failures: ways.reduce((sum, way) => sum + way.failures, 0),
  expected: ways.reduce((sum, way) => sum + way.expected, 0),
})
