// What the issuer and the scheme take of a payment, as estimates until settlements show it: what regulators cap and schemes
// have published, dated and with its source, and for the rest assumptions that say so. Card-not-present payments only. The
// first row that matches counts. Assumed rows are meant to be replaced (`observed` in estimate.ts); they only keep two
// accounts comparable until then.

import type { CardRegion, Crossing } from "../../core/card-region.ts"
import type { Network } from "../../core/card.ts"
import { parseCurrency } from "../../core/currency.ts"
import { dayStart } from "../../core/scheme-rule.ts"
import type { Funding } from "../../core/card-facts.ts"
import type { Product } from "./fee-model.ts"
import { type Fine, parseFixed, parsePercent, type Share } from "./fine-amount.ts"

/** How far a part of an estimate may be trusted, the surest first. */
export const costCertainties = {
  contract: "the account's own contract says it",
  settled: "settlements of this account showed it",
  regulated: "a regulator caps it there, and issuers take the cap",
  published: "published, by others than the scheme",
  assumed: "our assumption",
} as const
export type CostCertainty = keyof typeof costCertainties

/** How sure a whole is: as its least sure part. */
export function leastSure(parts: readonly CostCertainty[]): CostCertainty {
  const names = Object.keys(costCertainties) as CostCertainty[]
  return names[Math.max(0, ...parts.map((part) => names.indexOf(part)))] ?? "assumed"
}

/** From where the rows are. Read from August to December 2026. */
export const costSources = {
  adyen: "Adyen help: interchange caps for cards from outside the EEA and the United Kingdom, card not present",
  braintree_2024: "Braintree, network updates: Mastercard, summer 2024 (Europe)",
  eu_ifr: "Regulation (EU) 2015/751 on interchange fees, articles 3 and 4",
  uk_ifr: "The same regulation as retained in the United Kingdom",
  uk_psr:
    "Payment Systems Regulator, MR22/2: UK-EEA cross-border interchange (2024-12), no interim cap (MR22/2.9, 2025-10)",
  us_reg_ii: "Regulation II, 12 CFR 235: debit card interchange of issuers with 10 billion USD and more",
  assumption: "No source: our assumption",
} as const
export type CostSource = keyof typeof costSources

export type CostRowData = {
  readonly id: string
  readonly part: "interchange" | "scheme_fees"
  readonly merchantRegions?: readonly CardRegion[]
  readonly cardRegions?: readonly CardRegion[]
  readonly crossings?: readonly Crossing[]
  readonly networks?: readonly Network[]
  readonly fundings?: readonly Funding[]
  readonly products?: readonly Product[]
  /** Of issuers that a cap of debit fees binds. */
  readonly cappedIssuer?: true
  readonly from: string
  readonly until?: string
  readonly percent: string
  /** In major units of `currency`. */
  readonly fixed?: string
  readonly currency?: string
  readonly source: CostSource
  readonly certainty: CostCertainty
  readonly note?: string
}

const fourParty: readonly Network[] = ["visa", "mastercard", "maestro"]
const debit: readonly Funding[] = ["debit", "prepaid"]
const consumer: readonly Product[] = ["consumer"]

type Narrowing = Omit<CostRowData, "id" | "part" | "percent" | "fixed" | "currency">

/** A pair of rows, for debit and credit, as most rules state them. */
const pair = (id: string, debitPercent: string, creditPercent: string, rest: Narrowing): readonly CostRowData[] => [
  { id: `${id}-debit`, part: "interchange", fundings: debit, percent: debitPercent, ...rest },
  { id: `${id}-credit`, part: "interchange", fundings: ["credit"], percent: creditPercent, ...rest },
]

const assumed = { from: "2015-01-01", source: "assumption", certainty: "assumed" } as const

export const interchangeRows: readonly CostRowData[] = [
  ...pair("eea", "0.2", "0.3", {
    merchantRegions: ["eea"],
    cardRegions: ["eea"],
    networks: fourParty,
    products: consumer,
    from: "2015-12-09",
    source: "eu_ifr",
    certainty: "regulated",
  }),
  ...pair("uk", "0.2", "0.3", {
    merchantRegions: ["uk"],
    cardRegions: ["uk"],
    networks: fourParty,
    products: consumer,
    from: "2015-12-09",
    source: "uk_ifr",
    certainty: "regulated",
  }),
  ...pair("uk-eea-before", "0.2", "0.3", {
    merchantRegions: ["uk", "eea"],
    cardRegions: ["uk", "eea"],
    networks: fourParty,
    products: consumer,
    from: "2015-12-09",
    until: "2021-10-15",
    source: "uk_psr",
    certainty: "published",
    note: "The regulation's caps until the United Kingdom left, and kept for some months more; the schemes moved on different days, and this one is from memory.",
  }),
  ...pair("uk-eea", "1.15", "1.5", {
    merchantRegions: ["uk", "eea"],
    cardRegions: ["uk", "eea"],
    networks: fourParty,
    products: consumer,
    from: "2021-10-15",
    source: "uk_psr",
    certainty: "published",
    note: "Card not present; its first day is from memory. The regulator found it too high, and dropped its interim cap in October 2025.",
  }),
  ...pair("into-europe", "1.15", "1.5", {
    merchantRegions: ["uk", "eea"],
    crossings: ["inter"],
    networks: fourParty,
    products: consumer,
    from: "2019-10-19",
    source: "adyen",
    certainty: "published",
    note: "Card not present, by the schemes' commitments to the European Commission; their first day is from memory.",
  }),
  {
    id: "us-capped-debit",
    part: "interchange",
    merchantRegions: ["us"],
    cardRegions: ["us"],
    fundings: debit,
    cappedIssuer: true,
    from: "2012-10-01",
    percent: "0.05",
    fixed: "0.22",
    currency: "USD",
    source: "us_reg_ii",
    certainty: "regulated",
    note: "21 cents, and one more of issuers that prevent fraud as the rule asks. 14.4 cents, 0.04 % and 1.3 cents were proposed in 2023; not in force as far as we read.",
  },
  {
    id: "us-other-debit",
    part: "interchange",
    merchantRegions: ["us"],
    cardRegions: ["us"],
    fundings: debit,
    percent: "1.65",
    fixed: "0.15",
    currency: "USD",
    ...assumed,
  },
  {
    id: "us-commercial",
    part: "interchange",
    merchantRegions: ["us"],
    cardRegions: ["us"],
    products: ["commercial"],
    percent: "2.65",
    fixed: "0.1",
    currency: "USD",
    ...assumed,
  },
  {
    id: "us-credit",
    part: "interchange",
    merchantRegions: ["us"],
    cardRegions: ["us"],
    percent: "1.95",
    fixed: "0.1",
    currency: "USD",
    ...assumed,
  },
  {
    id: "europe-commercial",
    part: "interchange",
    merchantRegions: ["eea", "uk"],
    products: ["commercial"],
    networks: fourParty,
    percent: "1.6",
    ...assumed,
  },
  {
    id: "three-party",
    part: "interchange",
    networks: ["amex", "diners", "discover", "jcb", "unionpay"],
    percent: "1.9",
    ...assumed,
  },
  ...pair("inter", "1.2", "1.8", { crossings: ["inter"], ...assumed }),
  ...pair("anywhere", "0.8", "1.5", assumed),
]

export const schemeFeeRows: readonly CostRowData[] = [
  {
    id: "mastercard-into-europe",
    part: "scheme_fees",
    merchantRegions: ["eea"],
    crossings: ["inter"],
    networks: ["mastercard", "maestro"],
    from: "2024-07-01",
    percent: "0.9",
    source: "braintree_2024",
    certainty: "published",
    note: "0.75 % across regions and 0.15 % for card not present; from 2024-09-30 in Ireland, read from July everywhere.",
  },
  { id: "scheme-inter", part: "scheme_fees", crossings: ["inter"], percent: "0.8", ...assumed },
  { id: "scheme-intra", part: "scheme_fees", crossings: ["intra"], percent: "0.1", ...assumed },
  {
    id: "scheme-us",
    part: "scheme_fees",
    merchantRegions: ["us"],
    percent: "0.14",
    fixed: "0.02",
    currency: "USD",
    ...assumed,
  },
  { id: "scheme-domestic", part: "scheme_fees", percent: "0.05", ...assumed },
]

/** What is asked of a payment to find its row; each answer that is not known was assumed by whoever asks. */
export type RowFacts = {
  readonly merchantRegion: CardRegion
  readonly cardRegion: CardRegion
  readonly crossing: Crossing
  readonly network: Network
  readonly funding: Funding
  readonly product: Product
  readonly cappedIssuer: boolean
  readonly at: number
}

export type CostRow = {
  readonly id: string
  readonly percent: Share
  readonly fixed: Fine
  /** Of `fixed`, where there is one. */
  readonly currency?: string
  readonly source: CostSource
  readonly certainty: CostCertainty
}

type ReadRow = { readonly data: CostRowData; readonly row: CostRow; readonly begins: number; readonly ends: number }

/** Read once: routing asks for every account of every payment. */
const readRows: Readonly<Record<CostRowData["part"], readonly ReadRow[]>> = {
  interchange: interchangeRows.map(readRow),
  scheme_fees: schemeFeeRows.map(readRow),
}

function readRow(data: CostRowData): ReadRow {
  const { id, percent, fixed, currency, source, certainty, from, until } = data
  const known = currency === undefined ? undefined : parseCurrency(currency)
  const row: CostRow = {
    id,
    percent: parsePercent(percent) ?? 0n,
    fixed: fixed === undefined || known === undefined ? 0n : (parseFixed(fixed, known) ?? 0n),
    ...(known === undefined ? {} : { currency: known }),
    source,
    certainty,
  }
  return { data, row, begins: dayStart(from), ends: until === undefined ? Number.POSITIVE_INFINITY : dayStart(until) }
}

/** The row of a payment, or undefined before the first of them. */
export function costRow(part: CostRowData["part"], facts: RowFacts): CostRow | undefined {
  return readRows[part].find((one) => fits(one, facts))?.row
}

function fits({ data, begins, ends }: ReadRow, facts: RowFacts): boolean {
  return (
    begins <= facts.at &&
    facts.at < ends &&
    within(data.merchantRegions, facts.merchantRegion) &&
    within(data.cardRegions, facts.cardRegion) &&
    within(data.crossings, facts.crossing) &&
    within(data.networks, facts.network) &&
    within(data.fundings, facts.funding) &&
    within(data.products, facts.product) &&
    (data.cappedIssuer === undefined || facts.cappedIssuer)
  )
}

const within = <T>(allowed: readonly T[] | undefined, fact: T): boolean => allowed?.includes(fact) ?? true
