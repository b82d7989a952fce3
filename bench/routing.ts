// `npm run bench -- routing`: what a decision costs. Two tables in one run on one machine:
//
//   decisions  as the engine makes them: the rule, every account with the reason for which it is left out, what was learned
//              of those that may serve, the choice, the record; rules ask for facts of the payment and for live signals of
//              accounts. `ordered` rules read the health of four accounts, `optimize` rules score all there are. Every
//              decision is timed alone.
//   rules      the first rule that matches, and nothing else, beside other engines with the same rules and payments. All
//              answers are compared before anything is timed.

import { cpus } from "node:os"
import { parseArgs } from "node:util"
import type { AccountId, PolicyId } from "../packages/server/src/core/id.ts"
import { conclude, examine, type Candidate, type Examined } from "../packages/server/src/routing/decide.ts"
import { compilePolicy } from "../packages/server/src/routing/policy-dispatch.ts"
import { MAX_ACCOUNTS_PER_RULE, type Policy } from "../packages/server/src/routing/policy.ts"
import type { RoutingContext } from "../packages/server/src/routing/routing-context.ts"
import type { Situation } from "../packages/server/src/routing/signals/observation.ts"
import { createSignals, type Ask, type Signals } from "../packages/server/src/routing/signals/signals.ts"
import type { Strategy } from "../packages/server/src/routing/strategy.ts"
import { median, quantile, round, table } from "./payments/figures.ts"
import { engines, type FirstMatch } from "./routing/engines.ts"
import { benchPayments, benchRules, conditionOf, dice, type Dice } from "./routing/rules.ts"

const help = `npm run bench -- routing [options]

  --seconds N   of one measurement (default 2)
  --rounds N    of every engine in turn; the median counts (default 3)
  --seed N      of rules and payments (default 1)
`

const ACCOUNTS = [4, 20, 100]
const RULES = [10, 100, 1_000]
/** Rules of the comparison with other engines. */
const COMPARED = [50, 200]
const PAYMENTS = 1_000
/** Accounts that an `ordered` rule names. */
const ACCOUNTS_PER_RULE = 4
/** Attempts that were learned from before. */
const LEARNED = 50_000
const NOW = 1_790_000_000_000
const WARM_UP_MS = 500

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: "string", default: "2" },
      rounds: { type: "string", default: "3" },
      seed: { type: "string", default: "1" },
      help: { type: "boolean" },
    },
  })
  if (values.help === true) {
    console.log(help)
    return
  }
  const [ms, rounds, seed] = [Number(values.seconds) * 1_000, Number(values.rounds), Number(values.seed)]
  console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}\n`)
  const kinds = ["ordered", "optimize"] as const
  const decisions = kinds.flatMap((kind) =>
    ACCOUNTS.flatMap((accounts) => RULES.map((rules) => timeDecisions(kind, accounts, rules, ms, seed))),
  )
  console.log("Decisions, with live signals:\n")
  console.log(
    table(
      ["strategy", "accounts × rules", "decisions/s", "p50 µs", "p99 µs"],
      decisions.map((one) => [
        one.kind,
        `${one.accounts} × ${one.rules}`,
        Math.round(one.perSecond),
        round(one.p50),
        round(one.p99),
      ]),
    ),
  )
  const perRules: Record<string, Record<string, number>> = {}
  for (const count of COMPARED) perRules[count] = await timeEngines(count, ms, rounds, seed)
  const names = Object.keys(engines)
  console.log("\nThe first of so many rules, decisions per second:\n")
  console.log(
    table(
      ["engine", ...COMPARED.map((count) => `${count} rules`)],
      names.map((name) => [name, ...COMPARED.map((count) => Math.round(perRules[count]![name]!))]),
    ),
  )
  const named = (kind: string): Timed =>
    decisions.find((one) => one.kind === kind && one.accounts === 20 && one.rules === 100)!
  console.log(
    `\n${JSON.stringify({
      decisions_per_s: Math.round(named("optimize").perSecond),
      p99_us: round(named("optimize").p99),
      ordered: { decisions_per_s: Math.round(named("ordered").perSecond), p99_us: round(named("ordered").p99) },
      rules_per_s: Object.fromEntries(names.map((name) => [name, Math.round(perRules[COMPARED[0]!]![name]!)])),
    })}`,
  )
}

type Kind = "ordered" | "optimize"
type Timed = {
  readonly kind: Kind
  readonly accounts: number
  readonly rules: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

function timeDecisions(kind: Kind, accounts: number, rules: number, ms: number, seed: number): Timed {
  const roll = dice(seed)
  const candidates = Array.from({ length: accounts }, (_, i) => candidate(`acc_${i}`))
  const ids = candidates.map(({ id }) => id)
  const strategy = (): Strategy =>
    kind === "ordered"
      ? { kind, accounts: Array.from({ length: ACCOUNTS_PER_RULE }, () => roll.of(ids)) }
      : {
          kind,
          accounts: ids.slice(0, MAX_ACCOUNTS_PER_RULE),
          objective: { kind: "expected_value", margin: 0.2, perSecond: 0.000_1 },
        }
  const policy: Policy = {
    id: "pol_bench" as PolicyId,
    version: 1,
    rules: benchRules(rules, roll, ids).map((rule, index) => ({
      name: `rule ${index}`,
      when: conditionOf(rule),
      strategy: strategy(),
    })),
  }
  compilePolicy(policy)
  const payments = benchPayments(PAYMENTS, roll, ids)
  const signals = learned(ids, payments, roll)
  const taken: number[] = []
  const until = performance.now() + WARM_UP_MS + ms
  const from = until - ms
  for (let i = 0; performance.now() < until; i = (i + 1) % PAYMENTS) {
    const began = performance.now()
    const examined = examine(policy, candidates, payments[i]!)
    const { record } = conclude(examined, signals.read(askOf(examined, i), NOW))
    const ended = performance.now()
    if (record.chosen.length + record.excluded.length === 0) throw new Error("a decision without accounts")
    if (began >= from) taken.push((ended - began) * 1_000)
  }
  const sorted = taken.toSorted((a, b) => a - b)
  const busy = taken.reduce((sum, one) => sum + one, 0)
  return {
    kind,
    accounts,
    rules,
    perSecond: (taken.length / busy) * 1e6,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
  }
}

/** Signals of a week: every segment of the payments has been seen at some of the accounts. */
function learned(ids: readonly string[], payments: readonly RoutingContext[], roll: Dice): Signals {
  const signals = createSignals({ accounts: ids.map((id) => ({ id })) })
  for (let i = 0; i < LEARNED; i++) {
    const at = NOW - (LEARNED - i) * 12_000
    const ending = roll.below(100) < 88 ? "paid" : roll.below(30) === 0 ? "technical" : "not_paid"
    signals.observe(
      { ...situationOf(roll.of(payments)), account: roll.of(ids), ending, latencyMs: 300 + roll.below(900) },
      at,
    )
  }
  return signals
}

const situationOf = ({ network, country, bin }: RoutingContext): Situation => ({
  network: network!,
  country: country!,
  issuer: bin!,
  method: "card",
  operation: "authorize",
  attempt: 1,
})

const askOf = ({ context, strategy, eligible, rule }: Examined, payment: number): Ask => ({
  situation: situationOf(context),
  payment: `pay_${payment}`,
  seed: 1,
  amount: Number(context.amount.minor) / 100,
  currency: context.amount.currency,
  accounts: eligible,
  challenged: false,
  reroutable: true,
  rounded: true,
  ...(strategy.kind === "optimize"
    ? { optimize: { objective: strategy.objective, budget: rule?.rule.name ?? "", exploration: 0.015 } }
    : {}),
})

async function timeEngines(count: number, ms: number, rounds: number, seed: number): Promise<Record<string, number>> {
  const roll = dice(seed)
  const rules = benchRules(count, roll)
  const payments = benchPayments(PAYMENTS, roll)
  const made = Object.entries(engines).map(([name, make]) => {
    const engine = make(rules)
    return { name, engine, inputs: payments.map((payment) => engine.input(payment)) }
  })
  const [ours, ...others] = made
  for (const other of others)
    for (let i = 0; i < PAYMENTS; i++) {
      const [a, b] = [await ours!.engine.first(ours!.inputs[i]), await other.engine.first(other.inputs[i])]
      if (a !== b) throw new Error(`payment ${i}: rule ${a} for us, rule ${b} for ${other.name}`)
    }
  const speeds = new Map<string, number[]>(made.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++)
    for (const { name, engine, inputs } of made) speeds.get(name)!.push(await timeEngine(engine, inputs, ms))
  return Object.fromEntries([...speeds].map(([name, all]) => [name, median(all)]))
}

/** Answers of engines that promise them are waited for one by one, as a payment would. */
async function timeEngine(engine: FirstMatch, inputs: readonly unknown[], ms: number): Promise<number> {
  const stretch = async (length: number): Promise<number> => {
    const began = performance.now()
    let count = 0
    while (performance.now() - began < length)
      for (let i = 0; i < 16; i++) {
        const found = engine.first(inputs[count++ % inputs.length])
        if (typeof found !== "number") await found
      }
    return (count / (performance.now() - began)) * 1_000
  }
  await stretch(WARM_UP_MS)
  return stretch(ms)
}

const candidate = (id: string): Candidate => ({
  id: id as AccountId,
  connector: "bench",
  state: "enabled",
  mode: "test",
  card: true,
  networkToken: true,
  networks: ["visa", "mastercard", "amex", "discover"],
  currencies: "all",
  exponents: {},
  steps: {},
  zeroAmount: true,
  externalThreeDs: true,
  merchantInitiated: true,
  networkTransactionId: true,
  partialApproval: true,
})
