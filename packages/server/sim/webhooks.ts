// The providers' side of webhooks: late, twice, out of order, forged by others, and again until they are accepted.

import type { AccountId } from "../src/core/id.ts"
import { receive } from "../src/engine/receive.ts"
import type { Accounts } from "./accounts.ts"
import type { LabNotice, LabPsp } from "./lab-psp.ts"
import type { Node } from "./node.ts"
import type { World } from "./world.ts"

const hmac = (): Uint8Array => new Uint8Array(4)
/** A provider gives up after as many deliveries. */
const MAX_DELIVERIES = 40

export function post(
  world: World,
  psp: LabPsp,
  notice: LabNotice,
  nodes: readonly Node[],
  accounts: Accounts,
  storm: () => boolean,
): void {
  const { weather } = psp.profile
  if (!notice.sure && !psp.profile.reliableWebhooks && world.chance(weather.webhookLost)) {
    world.note("webhook lost")
    return
  }
  const account = accounts.account(notice.account as AccountId)!
  if (notice.hint) world.note("webhook as a hint")
  // A hint is unsigned: whatever it says may be wrong, and nothing may be booked from it.
  const said: LabNotice = notice.hint && world.chance(0.5) ? { ...notice, answer: lieAbout(notice.answer) } : notice
  const bodies = [JSON.stringify(said), JSON.stringify({ ...said, event: `${said.event}-again` })] as const
  const deliver = (tries: number, body: string): void => {
    const node = world.pick(nodes)
    if (!node.alive || (storm() && world.chance(0.05))) {
      again(tries, body)
      return
    }
    let over = false
    const timeout = world.after(10_000, () => {
      over = true
      again(tries, body)
    })
    receive(node.engine, account, { headers: { "x-secret": `secret-${account.id}` }, body }, hmac).then(
      () => timeout(),
      () => {
        timeout()
        if (!over) again(tries, body)
      },
    )
  }
  const again = (tries: number, body: string): void =>
    void (
      tries < MAX_DELIVERIES && world.expect(Math.min(3_600_000, 1_000 * 2 ** tries), () => deliver(tries + 1, body))
    )
  const twice = world.chance(weather.webhookTwice)
  // Some tell one thing by two events of their own.
  const anew = twice && world.chance(0.5)
  if (twice) world.note(anew ? "webhook twice by two events" : "webhook twice")
  for (let i = 0; i < (twice ? 2 : 1); i++)
    world.expect(world.random() * weather.webhookDelayMs, () => deliver(0, bodies[anew && i === 1 ? 1 : 0]))
  if (!world.chance(weather.forged)) return
  world.note("webhook forged")
  const lie: LabNotice = { ...notice, event: `${notice.event}-forged`, hint: false, answer: lieAbout(notice.answer) }
  const node = world.pick(nodes)
  if (node.alive)
    void receive(node.engine, account, { headers: { "x-secret": "guess" }, body: JSON.stringify(lie) }, hmac).catch(
      () => {},
    )
}

/** The opposite of an answer, with a little money in it. */
const lieAbout = (answer: LabNotice["answer"]): LabNotice["answer"] => ({
  ...answer,
  kind: answer.kind === "approved" ? "declined" : "approved",
  effect: "authorized",
  amount: "1",
})
