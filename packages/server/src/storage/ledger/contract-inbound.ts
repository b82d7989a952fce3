// The ledger's contract: providers' webhooks are stored once and handed out until they are finished.

import assert from "node:assert/strict"
import type { It } from "./ledger-contract.ts"
import { BRIEF_MS, LONG_MS, sampleId, sampleInbound } from "./sample.ts"

export function inboundWebhooks(it: It): void {
  it("a redelivered webhook is stored once, and each account has its own", async ({ ledger, now }) => {
    const merchant = sampleId("mer", now())
    const [one, two] = [sampleId("acc", now()), sampleId("acc", now())]
    const redeliveries = await Promise.all(
      Array.from({ length: 6 }, () => ledger.storeInbound(sampleInbound(merchant, one, "evt_1", now()))),
    )
    assert.equal(redeliveries.filter(Boolean).length, 1)
    assert.equal(await ledger.storeInbound(sampleInbound(merchant, two, "evt_1", now())), true)
    assert.equal((await ledger.dueInbound(10, LONG_MS)).length, 2)
  })

  it("a stored webhook is handed out whole, to one claimer, oldest first", async ({ ledger, now }) => {
    const merchant = sampleId("mer", now())
    const account = sampleId("acc", now())
    const webhooks = [3, 1, 2].map((age) => sampleInbound(merchant, account, `evt_${age}`, now() - age * 10))
    for (const webhook of webhooks) await ledger.storeInbound(webhook)
    const [first] = await ledger.dueInbound(1, LONG_MS)
    assert.deepEqual(first, webhooks[0])
    const claimed = (await Promise.all([1, 2, 3].map(() => ledger.dueInbound(10, LONG_MS)))).flat()
    assert.deepEqual(claimed.map((w) => w.deduplication).toSorted(), ["evt_1", "evt_2"])
  })

  it("a claim that is not finished in time is handed out again, and the tries are counted", async ({
    ledger,
    now,
    wait,
  }) => {
    await ledger.storeInbound(sampleInbound(sampleId("mer", now()), sampleId("acc", now()), "e", now() - 1))
    assert.deepEqual(
      (await ledger.dueInbound(10, BRIEF_MS)).map((w) => w.tries),
      [0],
    )
    await wait(BRIEF_MS * 2)
    assert.deepEqual(
      (await ledger.dueInbound(10, LONG_MS)).map((w) => w.tries),
      [1],
    )
  })

  it("an unmatched webhook comes again when its time has come, a processed one never", async ({ ledger, now }) => {
    const merchant = sampleId("mer", now())
    const account = sampleId("acc", now())
    const webhooks = ["later", "now", "done"].map((name, i) => sampleInbound(merchant, account, name, now() - 30 + i))
    for (const webhook of webhooks) await ledger.storeInbound(webhook)
    const [later, soon, done] = await ledger.dueInbound(10, LONG_MS)
    assert.ok(later && soon && done)
    await ledger.finishInbound(merchant, later.id, "unmatched", now() + LONG_MS)
    await ledger.finishInbound(merchant, soon.id, "unmatched", now() - 1)
    await ledger.finishInbound(merchant, done.id, "processed", undefined)
    // A second, slower worker finishes the same one later: what is processed stays processed.
    await ledger.finishInbound(merchant, done.id, "failed", now() - 1)
    assert.deepEqual(
      (await ledger.dueInbound(10, LONG_MS)).map((w) => [w.deduplication, w.tries]),
      [["now", 1]],
    )
    assert.equal(await ledger.storeInbound(sampleInbound(merchant, account, "done", now())), false)
  })
}
