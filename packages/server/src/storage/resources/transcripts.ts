// What was said to providers and what they answered, scrubbed, as long as retention keeps it.

import { timeOf, type MerchantId, type PaymentId } from "../../core/id.ts"
import type { Database, Statement } from "../database.ts"
import { decodeDocument } from "../document.ts"
import type { Transcript } from "../ledger/ledger.ts"
import { CLOCK_MARGIN_MS } from "./events.ts"

/** Exchanges of one payment that are shown: more than any payment has that is not stuck in recovery. */
export const MAX_TRANSCRIPTS = 200

/** A payment's, in the order in which they were stored; the latest ones where there are too many. */
export async function listTranscripts(
  database: Database,
  merchant: MerchantId,
  payment: PaymentId,
): Promise<readonly Transcript[]> {
  const since = Math.max(0, timeOf(payment) - CLOCK_MARGIN_MS)
  const rows = await database.query<{ document: unknown }>(ofPayment, [merchant, payment, since, MAX_TRANSCRIPTS])
  return rows.map(({ document }) => decodeDocument(document) as Transcript).toReversed()
}

const ofPayment: Statement = {
  name: "transcripts-of-payment",
  text: `select document from transcripts where merchant_id = $1 and payment_id = $2 and at_ms >= $3
    order by version desc, ordinal desc limit $4`,
}
