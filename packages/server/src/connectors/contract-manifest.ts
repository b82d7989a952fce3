// What every manifest owes: data that is complete, consistent with the code beside it, bounded, and says where it is from.

import assert from "node:assert/strict"
import { exponentOf, parseCurrency } from "../core/currency.ts"
import { money } from "../core/money.ts"
import type { OperationKind } from "../core/payment.ts"
import { providerAmount } from "./amount.ts"
import type { AccountConfig, Connector, Manifest } from "./connector.ts"
import { currenciesOf, expressible } from "./contract-input.ts"
import type { Rule } from "./contract-rule.ts"

const hourMs = 3_600_000
const dayMs = 24 * hourMs

export function manifestRules(connector: Connector, config: AccountConfig): readonly Rule[] {
  const { manifest, codecs } = connector
  const declared = Object.keys(manifest.operations) as OperationKind[]
  return [
    {
      name: "manifest: names itself in a form that is fit for paths and tables",
      check: () => assert.match(manifest.id, /^[a-z][a-z0-9_]{1,30}$/),
    },
    {
      name: "manifest: every address is https, and its placeholders are settings",
      check: () => {
        assert.match(manifest.website, /^https:\/\//)
        for (const url of Object.values(manifest.baseUrl)) {
          assert.match(url, /^https:\/\/[^\s/]+(?:\/\S*[^/])?$/, "https, without a slash at the end")
          for (const [, name] of url.matchAll(/\{(\w+)\}/g))
            assert.ok(
              manifest.settings.some((field) => field.name === name),
              `{${name}} is no setting`,
            )
        }
      },
    },
    {
      name: "manifest: every claim has its source and date",
      check: () => {
        const sources = [manifest.api.source, manifest.reverse.source, manifest.webhooks.source]
        for (const support of Object.values(manifest.operations)) sources.push(support.source)
        for (const source of sources) {
          assert.match(source, /https:\/\/\S+/, `no link in "${source}"`)
          assert.match(source, /\b20\d\d-\d\d/, `no date in "${source}"`)
        }
      },
    },
    {
      name: "manifest: every declared operation has a codec, and every codec is declared",
      check: () => {
        assert.deepEqual([...declared].sort(), Object.keys(codecs).sort())
        for (const needed of ["authorize", "capture", "void", "refund"] as const)
          assert.ok(declared.includes(needed), `no payment can be run without ${needed}`)
      },
    },
    { name: "manifest: windows and strengths are sane", check: () => assertOperations(connector) },
    { name: "manifest: limits are named and bounded", check: () => assertLimits(manifest) },
    { name: "manifest: currencies and digits can be counted in", check: () => assertCurrencies(manifest) },
    {
      name: "manifest: credentials and settings are described, and those of the suite fit the description",
      check: () => {
        const fields = [...manifest.credentials, ...manifest.settings]
        assert.ok(manifest.credentials.length > 0)
        assert.equal(new Set(fields.map(({ name }) => name)).size, fields.length, "a name is used twice")
        for (const { name, title, pattern, optional } of fields) {
          assert.ok(title !== "", `${name} has no title`)
          const value = config.credentials[name]?.reveal() ?? config.settings[name]
          if (value === undefined) assert.ok(optional === true, `the suite's account lacks ${name}`)
          else if (pattern !== undefined) assert.match(value, new RegExp(pattern, "v"), name)
        }
        for (const name of [...Object.keys(config.credentials), ...Object.keys(config.settings)])
          assert.ok(
            fields.some((field) => field.name === name),
            `${name} is in no description`,
          )
      },
    },
    {
      name: "credentials: only a clear answer says that they work",
      check: () => {
        const { verifyCredentials } = connector
        if (verifyCredentials === undefined) return
        const request = verifyCredentials.encode(config)
        assert.ok(["GET", "POST"].includes(request.method))
        for (const credential of Object.values(config.credentials))
          assert.ok(!request.path.includes(credential.reveal()) && !(request.body ?? "").includes(credential.reveal()))
        for (const status of [100, 301, 400, 401, 403, 404, 429, 500, 503])
          for (const body of ["", "{}", "<html>", '{"id":"x"}'])
            assert.equal(verifyCredentials.decode({ status, headers: {}, body }).ok, false, `ok at ${status}`)
        for (const body of ["<html>", "{", "null"])
          assert.equal(verifyCredentials.decode({ status: 200, headers: {}, body }).ok, false, `ok with ${body}`)
      },
    },
  ]
}

function assertOperations({ manifest, inquire, codecs }: Connector): void {
  const supports = Object.values(manifest.operations)
  for (const { replay, inquiry } of supports) {
    assert.equal(replay.stores === "none", replay.windowMs === 0, "a window where answers are stored")
    assert.ok(replay.windowMs >= 0 && replay.windowMs <= 60 * dayMs)
    for (const strength of [inquiry.byReference, inquiry.byAttempt])
      if (typeof strength === "object") assert.ok(strength.eventualMs > 0 && strength.eventualMs <= 7 * dayMs)
  }
  const asks = supports.some(({ inquiry }) => inquiry.byReference !== "none" || inquiry.byAttempt !== "none")
  assert.equal(inquire !== undefined, asks, "inquire is there exactly where an operation can be asked about")
  const { byReference, byAttempt, absence } = manifest.reverse
  assert.equal(codecs.reverse !== undefined, byReference || byAttempt, "reverse is there exactly where it is declared")
  if (absence === "proof") assert.ok(codecs.reverse !== undefined)
  if (manifest.completion === "call") assert.ok(codecs.complete !== undefined, "completion by call needs `complete`")
  else assert.ok(inquire !== undefined && codecs.complete === undefined, "completion by inquiry needs `inquire` only")
}

function assertLimits({ limits, actionMs, authorizationMs, webhooks }: Manifest): void {
  assert.ok(limits.listenMs >= 60_000 && limits.listenMs <= 80_000, "hanging up early manufactures unknowns")
  assert.ok(limits.answerMs >= 1_000 && limits.answerMs < limits.listenMs)
  assert.ok(limits.inFlightMs >= limits.listenMs && limits.inFlightMs <= dayMs)
  assert.ok(limits.keepAliveMs >= 1_000 && limits.keepAliveMs <= 120_000)
  assert.ok(Number.isInteger(limits.connections) && limits.connections >= 1 && limits.connections <= 256)
  assert.ok(actionMs >= 60_000 && actionMs <= 7 * dayMs)
  if (authorizationMs !== undefined) assert.ok(authorizationMs >= hourMs && authorizationMs <= 60 * dayMs)
  if (webhooks.toleranceMs !== undefined) assert.ok(webhooks.toleranceMs >= 60_000 && webhooks.toleranceMs <= hourMs)
  assert.ok(webhooks.settleWithinMs >= 1_000 && webhooks.settleWithinMs <= 7 * dayMs)
}

function assertCurrencies(manifest: Manifest): void {
  const { currencies, exponents, steps = {}, methods } = manifest
  if (currencies !== "all") {
    assert.equal(new Set(currencies).size, currencies.length, "a currency is listed twice")
    for (const code of currencies) assert.ok(parseCurrency(code) !== undefined, `${code} is not a currency`)
  }
  for (const [code, exponent] of Object.entries(exponents)) {
    const currency = parseCurrency(code)
    assert.ok(currency !== undefined && currencies !== undefined, `${code} is not a currency`)
    assert.ok(Number.isInteger(exponent) && exponent >= 0 && exponent <= 4)
    assert.notEqual(exponent, exponentOf(currency), `${code} is counted as ISO does: no exception`)
  }
  for (const [code, step] of Object.entries(steps)) {
    assert.ok(parseCurrency(code) !== undefined, `${code} is not a currency`)
    assert.ok(Number.isInteger(step) && step > 1)
  }
  for (const currency of currenciesOf(manifest)) {
    const amount = expressible(manifest, 123_456_789n, currency)
    assert.ok(providerAmount(manifest, amount) !== undefined)
    assert.equal(providerAmount(manifest, money(0n, currency)), 0n)
  }
  assert.ok(methods.card || methods.networkToken || methods.providerToken)
  assert.equal(new Set(methods.networks).size, methods.networks.length)
  if (methods.card || methods.networkToken) assert.ok(methods.networks.length > 0)
}
