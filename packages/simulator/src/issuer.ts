// A seeded issuer: the bank behind the card, the same for every simulated provider. Approval depends on card, country,
// network and amount as an account's weather says; declines carry ISO 8583 response codes and Mastercard advice codes.
//
// Declines come in two kinds, because routing turns on the difference. A *standing* decline belongs to the card (lost,
// closed, no money for this amount today): every provider and every retry hears the same. A *passing* one is drawn
// anew per try, and may be approved elsewhere. Standing facts are hashed from seed and card, never drawn.
import { type Bin, binOf } from "./bins.ts"
import { chooseWeighted, fractionOf } from "./chance.ts"
import type { Issuer, IssuerAnswer, IssuerRequest } from "./persona.ts"

export type IssuerProfile = {
  /** Share of authorizations approved, 0..1, where no rule says otherwise. */
  readonly approvalRate: number
  /** First match wins. */
  readonly rules: readonly IssuerRule[]
  /** Share of approvals that are for a part of the amount (response code 10). */
  readonly partialRate: number
  /** Share of the declines that stand, whoever asks and however often. */
  readonly standingShare: number
  /** Share of cardholders who mistype each of address line, postcode and security code. */
  readonly mistypedRate: number
  readonly declines: readonly DeclineShare[]
}

export type IssuerRule = {
  readonly approvalRate: number
  readonly match: {
    readonly bin?: string
    readonly country?: string
    readonly network?: string
    readonly currency?: string
    readonly funding?: string
    readonly initiator?: "customer" | "merchant"
    /** Minor units, inclusive. */
    readonly amountFrom?: number
    readonly amountTo?: number
  }
}

export type DeclineShare = {
  readonly responseCode: string
  readonly adviceCode?: string
  readonly weight: number
  /** Whether this is a fact about the card rather than about this try. */
  readonly standing: boolean
}

/** Shares in the proportions that card-not-present merchants commonly report; the exact figures are ours. */
export const DECLINE_MIX: readonly DeclineShare[] = [
  { responseCode: "51", adviceCode: "02", weight: 44, standing: true },
  { responseCode: "05", weight: 26, standing: false },
  { responseCode: "59", adviceCode: "03", weight: 5, standing: false },
  { responseCode: "61", adviceCode: "25", weight: 4, standing: true },
  { responseCode: "65", adviceCode: "25", weight: 3, standing: true },
  { responseCode: "57", adviceCode: "03", weight: 4, standing: true },
  { responseCode: "14", adviceCode: "03", weight: 3, standing: true },
  { responseCode: "54", adviceCode: "01", weight: 3, standing: true },
  { responseCode: "62", adviceCode: "03", weight: 2, standing: true },
  { responseCode: "41", adviceCode: "03", weight: 1, standing: true },
  { responseCode: "43", adviceCode: "03", weight: 1, standing: true },
  { responseCode: "91", adviceCode: "24", weight: 3, standing: false },
  { responseCode: "96", adviceCode: "24", weight: 1, standing: false },
]

/** Everything is approved: magic cards and the weather decide, so that a quiet sandbox is predictable. */
export const GENEROUS: IssuerProfile = {
  approvalRate: 1,
  rules: [],
  partialRate: 0,
  standingShare: 0.6,
  mistypedRate: 0,
  declines: DECLINE_MIX,
}

export type IssuerOptions = {
  readonly seed: string
  /** Drawn exactly once per authorization, whatever the answer, so that profiles do not shift the stream. */
  readonly random: () => number
  /** Empty accounts are filled again: standing declines for money are drawn anew each day. Default: one long day. */
  readonly now?: () => number
  readonly profileOf?: (account: string) => IssuerProfile
}

export function createIssuer({ seed, random, now = () => 0, profileOf = () => GENEROUS }: IssuerOptions): Issuer {
  return (request) => {
    const day = Math.floor(now() / DAY_MS)
    return answer(profileOf(request.account), request, `${seed}:${day}`, random())
  }
}

const DAY_MS = 86_400_000

function answer(profile: IssuerProfile, request: IssuerRequest, seed: string, draw: number): IssuerAnswer {
  const bin = binOf(request.pan)
  const checks = checksOf(profile, request, seed)
  if (!bin) return { responseCode: "15", approvedAmount: 0n, ...checks }
  const decline = declineOf(profile, request, bin, seed, draw)
  if (decline) {
    const adviceCode = bin.network === "mastercard" ? decline.adviceCode : undefined
    return { responseCode: decline.responseCode, ...(adviceCode && { adviceCode }), approvedAmount: 0n, ...checks }
  }
  const partial = request.amount > 1n && fractionOf(`${seed}:partial:${draw}`) < profile.partialRate
  return partial
    ? { responseCode: "10", approvedAmount: request.amount / 2n, ...checks }
    : { responseCode: "00", approvedAmount: request.amount, ...checks }
}

/**
 * P(declined) = 1 - rate in all: a standing share s of it decided by the card and amount, and the rest by this try,
 * so that (1 - standing) × (1 - passing) = rate.
 */
function declineOf(
  profile: IssuerProfile,
  request: IssuerRequest,
  bin: Bin,
  seed: string,
  draw: number,
): DeclineShare | undefined {
  const rate = rateOf(profile, request, bin)
  const standing = (1 - rate) * profile.standingShare
  const card = `${seed}:${request.pan}:${request.currency}:${request.amount}`
  const fate = fractionOf(`standing:${card}`)
  if (fate < standing) return choose(profile, true, fractionOf(`which:${card}`))
  const passing = standing === 1 ? 0 : 1 - rate / (1 - standing)
  return draw < passing ? choose(profile, false, draw / passing) : undefined
}

function choose(profile: IssuerProfile, standing: boolean, at: number): DeclineShare {
  const fitting = profile.declines.filter((share) => share.standing === standing)
  return chooseWeighted(fitting.length ? fitting : profile.declines, at) ?? { responseCode: "05", weight: 1, standing }
}

function rateOf(profile: IssuerProfile, request: IssuerRequest, bin: Bin): number {
  return profile.rules.find(({ match }) => matches(match, request, bin))?.approvalRate ?? profile.approvalRate
}

function matches(match: IssuerRule["match"], request: IssuerRequest, bin: Bin): boolean {
  return (
    (match.bin === undefined || request.pan.startsWith(match.bin)) &&
    (match.country === undefined || match.country === bin.country) &&
    (match.network === undefined || match.network === bin.network) &&
    (match.funding === undefined || match.funding === bin.funding) &&
    (match.currency === undefined || match.currency.toUpperCase() === request.currency.toUpperCase()) &&
    (match.initiator === undefined || match.initiator === request.initiator) &&
    (match.amountFrom === undefined || request.amount >= BigInt(match.amountFrom)) &&
    (match.amountTo === undefined || request.amount <= BigInt(match.amountTo))
  )
}

/**
 * AVS in Visa's letters (Y both match, A line only, Z postcode only, N neither, U unavailable), CVV as M or N. Who
 * mistypes is a property of the card and of what was typed, so that a second try with the same input fails alike.
 */
function checksOf(profile: IssuerProfile, request: IssuerRequest, seed: string): { avs?: string; cvv?: string } {
  const wrong = (what: string, typed: string): boolean =>
    fractionOf(`${seed}:${what}:${request.pan}:${typed}`) < profile.mistypedRate
  const { addressLine, postcode, cvc } = request
  const line = addressLine === undefined ? undefined : !wrong("line", addressLine)
  const code = postcode === undefined ? undefined : !wrong("postcode", postcode)
  const avs = line === undefined && code === undefined ? undefined : line && code ? "Y" : line ? "A" : code ? "Z" : "N"
  const cvv = cvc === undefined ? undefined : wrong("cvc", cvc) ? "N" : "M"
  return { ...(avs && { avs }), ...(cvv && { cvv }) }
}
