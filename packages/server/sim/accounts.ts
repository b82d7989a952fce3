// The merchant's accounts at the simulated providers: sometimes two at one provider, sometimes switched off or drained while
// payments are under way; in some worlds with a policy (policies.ts). The judge remembers what was enabled when.

import type { AccountId } from "../src/core/id.ts"
import { secret } from "../src/core/secret.ts"
import type { Account, Directory } from "../src/engine/engine.ts"
import { labConnector } from "./lab-connector.ts"
import type { LabPsp } from "./lab-psp.ts"
import type { MERCHANT } from "./merchant.ts"
import { drawPolicy } from "./policies.ts"
import type { World } from "./world.ts"

export type Accounts = Directory & {
  /** What the directory said then. */
  at(time: number): Directory
}

/** One account for each provider, some providers with a second one, in any order. */
export function drawAccounts(world: World, psps: readonly LabPsp[], merchant: typeof MERCHANT): Accounts {
  const at: LabPsp[] = [...psps]
  for (const psp of psps) if (at.length < MAX_ACCOUNTS && world.chance(0.25)) at.splice(world.int(0, at.length), 0, psp)
  if (at.length > psps.length) world.note("second account at one provider")
  let accounts: readonly Account[] = at.map((psp, i) => account(psp, `acc_${i}` as AccountId, merchant))
  const history: { readonly from: number; readonly accounts: readonly Account[] }[] = [{ from: 0, accounts }]
  const change = (index: number, state: Account["state"]): void => {
    world.note(state === "disabled" ? "account disabled" : "account draining")
    accounts = accounts.map((a, i) => (i === index ? { ...a, state } : a))
    history.push({ from: world.now, accounts })
  }
  // Never the only one, and seldom: most payments are about something else.
  if (accounts.length > 1 && world.chance(0.2)) {
    const index = world.int(0, accounts.length - 1)
    world.after(world.int(1_000, 90_000), () => change(index, world.chance(0.5) ? "draining" : "disabled"))
  }
  const policy = drawPolicy(
    world.seed,
    accounts.map(({ id }) => id),
  )
  for (const situation of policy.situations) world.note(situation)
  const directory = (now: () => readonly Account[]): Directory => ({
    account: (id) => now().find((a) => a.id === id),
    accounts: () => now(),
    policy: (_merchant, _mode, payment) => policy.of(payment),
    activePolicy: () => policy.active,
    shadow: () => undefined,
  })
  return {
    ...directory(() => accounts),
    at: (time) => directory(() => history.findLast((h) => h.from <= time)!.accounts),
  }
}
const MAX_ACCOUNTS = 4

function account(psp: LabPsp, id: AccountId, merchant: typeof MERCHANT): Account {
  const { profile } = psp
  const connector = labConnector(profile)
  return {
    id,
    merchant,
    state: "enabled",
    connector,
    config: { mode: "test", credentials: { key: secret(`key-${id}`) }, settings: { account: id } },
    origin: `https://${profile.id}.invalid`,
    limits: {
      ...connector.manifest.limits,
      settleWithinMs: profile.settleWithinMs,
      actionMs: profile.actionMs,
      replayWindowFactor: 1,
    },
    webhookSecrets: [`secret-${id}`],
    onUnknown: "wait",
  }
}
