// What a person may say, and when. The API's side of it is api/operations.test.ts.

import assert from "node:assert/strict"
import { test } from "node:test"
import { accountAt, MERCHANT, scripted } from "../../testing/scripted.ts"
import { settleByHand, type Said } from "./operator.ts"

test("what the provider has accepted and may still tell is not called failed, however late it is", async () => {
  const world = scripted([accountAt("shop")], ({ path }) =>
    path.endsWith("/payments")
      ? { body: { pspReference: "PSP", resultCode: "Authorised" } }
      : { body: { pspReference: "MOD", status: "received" } },
  )
  const { id } = world.pay({ capture: "automatic" })
  await world.pass(1_000)
  void world.follow(id, { type: "refund", amount: 300n })
  await world.pass(3_600_000)
  const refund = world.stored(id).operations.find((o) => o.kind === "refund")!
  assert.deepEqual([refund.state, refund.needsPerson], ["pending", false])
  const person = { by: "Ada", key: "key_1", note: "seen in the back office" } as never
  const say = async (said: Said): Promise<string> => {
    const acted = settleByHand(world.engine, MERCHANT, id, refund.id, said, person, undefined)
    await world.pass(1_000)
    const answer = await acted
    return answer.kind === "refused" ? answer.code : answer.kind
  }
  assert.equal(await say({ verdict: "failed" }), "operation.in_progress")
  assert.equal(await say({ verdict: "absent" }), "operation.in_progress")
  assert.equal(await say({ verdict: "succeeded" }), "payment")
  assert.equal(world.stored(id).attempts[0]?.refunded, 300n)
})
