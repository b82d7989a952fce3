// A draft against decisions that were stored: what it would have sent elsewhere (exact), and what that would have been worth
// (off-policy.ts, or "cannot tell"). The draft decides each payment by the very function that decides live ones, from the
// context and the accounts that the record kept. Records come as a stream and none is kept, so that a year takes no more memory than a day.
//
//   for await (const progress of backtest(records, decideDraft, { maxRecords })) …      // the last one has the report

import { type DecisionEvidence, NO_ATTEMPT } from "./decision-evidence.ts"
import { createOffPolicy, type OffPolicyReport } from "./off-policy.ts"
import { createRerouting, type Rerouting, type Routed } from "./rerouting.ts"

export type StoredDecision<Context, Candidates> = DecisionEvidence &
  Routed & {
    readonly context: Context
    readonly candidates: Candidates
    /** How its payments are told apart in the report, e.g. network and country. */
    readonly segment: string
  }

/** `impossible`: the draft cannot be asked about this record, e.g. because it kept too little. */
export type DraftDecision =
  | (Routed & { readonly kind: "decided" })
  | { readonly kind: "impossible"; readonly why: string }

export type BacktestOptions = {
  /** Records that are read at most: the caller's bound on its work. */
  readonly maxRecords: number
  /** Progress is told after so many. */
  readonly every?: number
  readonly confidence?: number
  readonly clipAt?: number
}

export type BacktestReport = {
  readonly records: number
  /** There were more than `maxRecords`. */
  readonly isTruncated: boolean
  /** Records the draft could not be asked about, by reason. They are in no other number. */
  readonly impossible: Readonly<Record<string, number>>
  /** Records whose accounts were all excluded, by the draft or in life: an exact part has them, estimates do not. */
  readonly withoutAccount: number
  readonly rerouting: Rerouting
  readonly offPolicy: OffPolicyReport
}

export type BacktestProgress =
  | { readonly kind: "progress"; readonly records: number }
  | { readonly kind: "done"; readonly records: number; readonly report: BacktestReport }

const EVERY = 1_000
/** Reasons that are told apart. */
const MAX_REASONS = 20

export async function* backtest<Context, Candidates>(
  records: AsyncIterable<StoredDecision<Context, Candidates>>,
  decideDraft: (context: Context, candidates: Candidates) => DraftDecision,
  { maxRecords, every = EVERY, confidence, clipAt }: BacktestOptions,
): AsyncGenerator<BacktestProgress, void, void> {
  const offPolicy = createOffPolicy({
    ...(confidence === undefined ? {} : { confidence }),
    ...(clipAt === undefined ? {} : { clipAt }),
  })
  const rerouting = createRerouting()
  const impossible = new Map<string, number>()
  let read = 0
  let withoutAccount = 0
  let isTruncated = false
  for await (const record of records) {
    if (read >= maxRecords) {
      isTruncated = true
      break
    }
    read += 1
    const decided = decideDraft(record.context, record.candidates)
    if (decided.kind === "impossible") {
      const why = impossible.has(decided.why) || impossible.size < MAX_REASONS ? decided.why : "other"
      impossible.set(why, (impossible.get(why) ?? 0) + 1)
    } else {
      rerouting.add(record, decided, record.segment)
      if (isWhole(record) && isWhole(decided)) offPolicy.add(record, decided.propensities)
      else withoutAccount += 1
    }
    if (read % every === 0) yield { kind: "progress", records: read }
  }
  yield {
    kind: "done",
    records: read,
    report: {
      records: read,
      isTruncated,
      impossible: Object.fromEntries(impossible),
      withoutAccount,
      rerouting: rerouting.report(),
      offPolicy: offPolicy.report(),
    },
  }
}

/** Whether there was anything to choose: an account, or the word to make no attempt. */
const isWhole = ({ propensities }: Routed): boolean => Object.values(propensities).some((chance) => chance > 0)

/** The chances of a policy that takes one account, or none, for certain. */
export const certainly = (account: string | undefined): Record<string, number> => ({ [account ?? NO_ATTEMPT]: 1 })
