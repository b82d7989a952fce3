// Sending again on a person's word: one delivery, or everything that an endpoint missed. A replay only makes deliveries
// due; they are posted like all others, with the same ids, so a receiver that has had them drops them.

import type { EventId, MerchantId, WebhookEndpointId } from "../core/id.ts"
import type { Clock } from "../ports.ts"
import type { DeliveryRows } from "../storage/resources/deliveries.ts"

/** Events looked at by one statement. */
export const REPLAY_PAGE = 500
/** Rest between pages (ms). */
export const REPLAY_PAUSE_MS = 50
/** Deliveries made due by one call; the answer tells where to go on. */
export const MAX_REPLAYED = 100_000

export type Replayed = {
  readonly replayed: number
  /** Where the next call goes on; undefined when all is done. */
  readonly next: EventId | undefined
}

/** Makes due whatever the endpoint subscribes to since `since` (ms), had it or not, in the order of events. */
export async function replaySince(
  { deliveries, clock }: { readonly deliveries: DeliveryRows; readonly clock: Clock },
  merchant: MerchantId,
  endpoint: WebhookEndpointId,
  since: number,
  after?: EventId,
): Promise<Replayed> {
  let total = 0
  let from = after
  while (total < MAX_REPLAYED) {
    const { replayed, last } = await deliveries.replayPage(merchant, endpoint, since, from, REPLAY_PAGE)
    total += replayed
    if (last === undefined) return { replayed: total, next: undefined }
    from = last
    await clock.sleep(REPLAY_PAUSE_MS)
  }
  return { replayed: total, next: from }
}
