// The merchants' configuration in memory: accounts with their credentials open, and the policies in force. A change
// anywhere is here within a second: storage tells what changed, and only that merchant's rows are read again. A row that
// cannot be used is left out with its reason in the log; it takes neither the node nor the merchant's other accounts down.

import type { Connector } from "../connectors/connector.ts"
import type { AccountId, CustomerId, MerchantId, PaymentId, PolicyId } from "../core/id.ts"
import type { Ports } from "../ports.ts"
import { compilePolicy } from "../routing/policy-dispatch.ts"
import type { Experiment } from "../routing/evidence.ts"
import { ALL_BPS, versionFor, type ArmedExperiment, type PolicyVersions } from "../routing/policy-share.ts"
import type { Policy, PolicyDocument } from "../routing/policy.ts"
import type { Database } from "../storage/database.ts"
import { listAccounts, MAX_ACCOUNTS, type AccountRow } from "../storage/resources/accounts.ts"
import { watchChanges, type Change } from "../storage/resources/changes.ts"
import {
  listPoliciesInForce,
  MAX_POLICIES,
  type PolicyInForce,
  type PolicyVersion,
} from "../storage/resources/policies.ts"
import { listRunningShadows, MAX_RUNNING_SHADOWS, type RunningShadow } from "../storage/resources/shadows.ts"
import { accountOf, type OpenAccount } from "./account.ts"
import type { Account, Directory } from "./engine.ts"
import { runLoop } from "./loop.ts"
import type { Shadow } from "./shadows.ts"

export type FreshDirectory = Directory & {
  /** Reads one merchant's configuration now, so that whoever changed it here finds it changed. */
  refresh(merchant: MerchantId): Promise<void>
  /** Accounts that can be used. */
  count(): number
  /** Ends the refreshing; what is known stays. */
  stop(): Promise<void>
}

export type DirectoryParts = Ports & {
  readonly database: Database
  readonly connectors: readonly Connector[]
  readonly open: OpenAccount
  /** Also hears of every change, for caches beside this one. */
  readonly heard?: (change: Change) => void
}

/** Merchants whose changes are read one by one; when more have changed, everything is read once. */
export const MAX_SINGLE_RELOADS = 100
/** Longest rest between two looks at what changed (ms); a change ends it. */
const IDLE_MS = 60_000
const BACKOFF_MS = 2_000

/** Resolves when everything is loaded; from then on it stays fresh by itself. */
export async function createDirectory(parts: DirectoryParts): Promise<FreshDirectory> {
  const { database, log } = parts
  const connectors = new Map(parts.connectors.map((connector) => [connector.manifest.id, connector]))
  const shelf = createShelf()
  const dirty = new Set<MerchantId>()

  let reads = 0
  const load = async (merchant?: MerchantId): Promise<void> => {
    const read = (reads += 1)
    const [accounts, policies, shadows] = await Promise.all([
      listAccounts(database, merchant),
      listPoliciesInForce(database, merchant),
      listRunningShadows(database, merchant),
    ])
    if (accounts.length >= MAX_ACCOUNTS || policies.length >= MAX_POLICIES || shadows.length >= MAX_RUNNING_SHADOWS)
      log.error(
        { accounts: accounts.length, policies: policies.length, shadows: shadows.length },
        "more configuration than fits: some is missing",
      )
    const accountsOf = Map.groupBy(accounts, (row) => row.merchant)
    const policiesOf = Map.groupBy(policies, ({ policy }) => policy.merchant)
    const shadowsOf = Map.groupBy(shadows, (one) => one.merchant)
    const everyone = [...shelf.merchants(), ...accountsOf.keys(), ...policiesOf.keys(), ...shadowsOf.keys()]
    for (const owner of merchant === undefined ? new Set(everyone) : [merchant])
      shelf.put(
        owner,
        read,
        (accountsOf.get(owner) ?? []).flatMap(openOrLeave),
        (policiesOf.get(owner) ?? []).flatMap(policyOrLeave),
        (shadowsOf.get(owner) ?? []).flatMap(shadowOrLeave),
      )
  }

  function openOrLeave(row: AccountRow): readonly Stored[] {
    const known = shelf.stored(row.id)
    // Opening again would give the same: every edit counts the version up.
    if (known?.version === row.version && known.account.merchant === row.merchant) return [known]
    try {
      return [{ version: row.version, account: accountOf(row, connectors.get(row.connector), parts.open) }]
    } catch (error) {
      const { merchant, id, connector } = row
      log.error({ merchant, account: id, connector, error: String(error) }, "an account cannot be used and is left out")
      return []
    }
  }

  /** What cannot be compiled is found here, not by a payment. */
  function policyOrLeave({ policy: row, active, candidate, experiment, arms }: PolicyInForce): readonly InForce[] {
    const { id, merchant, mode } = row
    const read = ({ version, document }: PolicyVersion): Policy => readPolicy(document, id, version)
    try {
      const versions =
        row.candidate === undefined || candidate === undefined
          ? {
              active: read(active),
              ...(experiment === undefined ? {} : { experiment: armed(experiment, arms.map(read)) }),
            }
          : { active: read(active), candidate: read(candidate), candidateBps: row.candidate.bps }
      return [{ mode, versions }]
    } catch (error) {
      log.error(
        { merchant, policy: id, version: active.version, error: String(error) },
        "a policy cannot be used and is left out",
      )
      return []
    }
  }

  function shadowOrLeave({ id, merchant, mode, policy, policyVersion, document }: RunningShadow): readonly InShadow[] {
    // The same value each time, so that it is compiled once.
    const known = shelf.shadow(merchant, mode)
    if (known?.id === id) return [{ mode, shadow: known }]
    try {
      return [{ mode, shadow: { id, policy: readPolicy(document, policy, policyVersion) } }]
    } catch (error) {
      log.error({ merchant, policy, version: policyVersion, error: String(error) }, "a shadow cannot be used")
      return []
    }
  }

  const refresh = async (): Promise<boolean> => {
    const merchants = [...dirty]
    dirty.clear()
    const some = merchants.length <= MAX_SINGLE_RELOADS
    try {
      if (some) for (const merchant of merchants) await load(merchant)
      else await load()
    } catch (error) {
      for (const merchant of merchants) dirty.add(merchant)
      throw error
    }
    return dirty.size > 0
  }

  // First listen, then load: a change in between is heard, and read again.
  let wake = (): void => {}
  const watch = await watchChanges(database, parts, (change) => {
    parts.heard?.(change)
    if (change.topic !== "accounts" && change.topic !== "policies") return
    dirty.add(change.merchant)
    wake()
  })
  try {
    await load()
  } catch (error) {
    await watch.stop()
    throw error
  }
  const loop = runLoop(parts, "directory", { idleMs: IDLE_MS, backoffMs: BACKOFF_MS }, refresh)
  wake = () => loop.wake()
  return {
    account: (id) => shelf.stored(id)?.account,
    accounts: (merchant) => shelf.accounts(merchant),
    count: () => shelf.count(),
    policy: (merchant, mode, payment, customer) => shelf.policy(merchant, mode, payment, customer),
    activePolicy: (merchant, mode) => shelf.activePolicy(merchant, mode),
    shadow: (merchant, mode) => shelf.shadow(merchant, mode),
    refresh: (merchant) => load(merchant),
    stop: async () => {
      await watch.stop()
      await loop.stop()
    },
  }
}

type Stored = { readonly version: number; readonly account: Account }
type InForce = { readonly mode: "live" | "test"; readonly versions: PolicyVersions }
type InShadow = { readonly mode: "live" | "test"; readonly shadow: Shadow }

/** Every arm's policy says which arm it is, and is one value as long as it runs. */
function armed({ id, plan }: NonNullable<PolicyInForce["experiment"]>, policies: readonly Policy[]): ArmedExperiment {
  const { salt, unit, arms } = plan as Experiment
  return {
    salt,
    unit,
    arms: arms.map(({ name, share, policyVersion }) => {
      const policy = policies.find(({ version }) => version === policyVersion)
      if (policy === undefined) throw new Error(`version ${policyVersion} of an arm is not there`)
      const bps = Math.round(share * ALL_BPS)
      return { name, share, policy: { ...policy, share: { of: "arm", bps, experiment: id, arm: name } } }
    }),
  }
}

function readPolicy(document: unknown, id: PolicyId, version: number): Policy {
  const policy = { ...(document as PolicyDocument), id, version }
  compilePolicy(policy)
  return policy
}

/**
 * What is known, replaced one merchant at a time, so that no reader sees half a change. Reads may overtake each other:
 * what a read brings that began before the one on the shelf is older, and not taken.
 */
function createShelf() {
  const readOf = new Map<MerchantId, number>()
  const byId = new Map<AccountId, Stored>()
  const byMerchant = new Map<
    MerchantId,
    {
      readonly accounts: readonly Account[]
      readonly policies: readonly InForce[]
      readonly shadows: readonly InShadow[]
    }
  >()
  return {
    merchants: () => byMerchant.keys(),
    stored: (id: AccountId) => byId.get(id),
    count: () => byId.size,
    accounts: (merchant: MerchantId) => byMerchant.get(merchant)?.accounts ?? [],
    policy: (merchant: MerchantId, mode: "live" | "test", payment: PaymentId, customer?: CustomerId) => {
      const found = byMerchant.get(merchant)?.policies.find((one) => one.mode === mode)
      return found === undefined ? undefined : versionFor(found.versions, payment, customer)
    },
    activePolicy: (merchant: MerchantId, mode: "live" | "test") =>
      byMerchant.get(merchant)?.policies.find((one) => one.mode === mode)?.versions.active,
    shadow: (merchant: MerchantId, mode: "live" | "test") =>
      byMerchant.get(merchant)?.shadows.find((one) => one.mode === mode)?.shadow,
    put: (
      merchant: MerchantId,
      read: number,
      stored: readonly Stored[],
      policies: readonly InForce[],
      shadows: readonly InShadow[],
    ) => {
      if (read < (readOf.get(merchant) ?? 0)) return
      readOf.set(merchant, read)
      for (const { id } of byMerchant.get(merchant)?.accounts ?? []) byId.delete(id)
      for (const one of stored) byId.set(one.account.id, one)
      if (stored.length + policies.length + shadows.length === 0) byMerchant.delete(merchant)
      else byMerchant.set(merchant, { accounts: stored.map(({ account }) => account), policies, shadows })
    },
  }
}
