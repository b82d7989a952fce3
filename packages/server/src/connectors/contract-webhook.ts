// What every webhook receiver owes: nothing counts that was not signed with a secret we hold, and nothing that arrives,
// signed or not, breaks the reader. The connector's test brings its own implementation of the provider's signing.

import assert from "node:assert/strict"
import { createHmac } from "node:crypto"
import fc from "fast-check"
import type { AccountConfig, Connector, Hmac, Notice, Verification, WebhookRequest } from "./connector.ts"
import { createNameable } from "./contract-decode.ts"
import { standardInput } from "./contract-input.ts"
import { foreignBodies, placesOf, replaceAt, shapelessBodies, wrongValues } from "./contract-mutation.ts"
import type { Rule } from "./contract-rule.ts"
import { inJson, type WebhookSample } from "./contract-sample.ts"
import { parseJson } from "./json.ts"
import { isCardNumber } from "../core/pan-mask.ts"

export type WebhookMaterial = {
  readonly samples: readonly WebhookSample[]
  /** Two secrets in the provider's own form, as they are current during a rotation. */
  readonly secrets: readonly [string, string]
  /** Signs as the provider does. `atMs` is when; providers that sign no time ignore it. */
  readonly sign: (body: string, secret: string, atMs: number) => WebhookRequest
  /** Whether the signature covers the whole body or only the fields that the notice's facts are taken from. */
  readonly covers: "body" | "fields"
}

const nowMs = 1_760_000_000_000

export const nodeHmac: Hmac = (algorithm, key, data) => createHmac(algorithm, key).update(data, "utf8").digest()

export function webhookRules(connector: Connector, config: AccountConfig, material: WebhookMaterial): readonly Rule[] {
  const nameable = createNameable(connector, config)
  const { samples, secrets, sign } = material
  const [old, current] = secrets
  const { webhook, manifest } = connector
  const rules: Rule[] = []
  const rule = (name: string, check: () => void): void => void rules.push({ name: `webhook: ${name}`, check })
  const verify = (request: WebhookRequest, accepted: readonly string[], at = nowMs): Verification["kind"] =>
    webhook.verify(request, accepted, at, nodeHmac).kind
  const decode = (request: WebhookRequest): readonly Notice[] => {
    const notices = webhook.decode(request)
    assertNotices(notices)
    for (const { reference, operationReference } of notices) {
      nameable(reference, "authorize", standardInput(connector, "authorize"))
      nameable(operationReference, "capture", standardInput(connector, "capture"))
    }
    return notices
  }
  const signed = ({ body, headers }: WebhookSample, secret = current, at = nowMs): WebhookRequest => {
    const request = sign(body, secret, at)
    return { body: request.body, headers: { ...headers, ...request.headers } }
  }

  rule("has samples", () => assert.ok(samples.length > 0))
  for (const sample of samples) {
    rule(`decodes "${sample.name}"`, () => assert.deepEqual(inJson(decode(signed(sample))), sample.notices))
    rule(`verifies "${sample.name}", and refuses it with any byte changed`, () => {
      const request = signed(sample)
      assert.equal(verify(request, [current]), "genuine")
      assertTamperingShows(request, material, (tampered) => verify(tampered, [current]) === "genuine", decode)
    })
  }
  rule("accepts the old and the new secret while both are current, and neither afterwards", () => {
    for (const sample of samples) {
      for (const secret of secrets) {
        assert.equal(verify(signed(sample, secret), [old, current]), "genuine")
        assert.equal(verify(signed(sample, secret), [current, old]), "genuine")
      }
      assert.equal(verify(signed(sample, old), [current]), "forged")
      assert.equal(verify(signed(sample, current), [old]), "forged")
    }
  })
  rule("accepts nothing where no secret is known or a secret is empty", () => {
    for (const sample of samples) {
      assert.equal(verify(signed(sample), []), "forged")
      assert.equal(verify(signed(sample, ""), [""]), "forged")
      assert.equal(verify(signed(sample, ""), ["", current]), "forged")
    }
  })
  rule("accepts nothing unsigned, and no signature that cannot be read", () => {
    const readers = [
      () => "",
      () => "t=,v1=",
      () => "\ud800",
      () => ",,==",
      (text: string) => text.slice(1),
      (text: string) => `${text}0`,
    ]
    for (const sample of samples) {
      assert.equal(verify({ headers: {}, body: sample.body }, [current]), "forged")
      const request = signed(sample)
      for (const read of readers) {
        const headers = Object.fromEntries(
          Object.keys(request.headers).map((name) => [name, read(request.headers[name]!)]),
        )
        if (material.covers === "body") assert.notEqual(verify({ ...request, headers }, [current]), "genuine")
        else verify({ ...request, headers }, [current])
      }
    }
  })
  if (manifest.webhooks.toleranceMs !== undefined) {
    const tolerance = manifest.webhooks.toleranceMs
    rule("refuses an old signature as stale", () => {
      for (const sample of samples) {
        assert.equal(verify(signed(sample, current, nowMs - tolerance + 1_000), [current]), "genuine")
        assert.equal(verify(signed(sample, current, nowMs - tolerance - 1_000), [current]), "stale")
        assert.equal(verify(signed(sample, old, nowMs - tolerance - 1_000), [current]), "forged", "forged comes first")
      }
    })
  }
  rule("tells the same notices at every redelivery", () => {
    for (const sample of samples) {
      const first = decode(signed(sample, old, nowMs))
      assert.deepEqual(decode(signed(sample, current, nowMs + 86_400_000)), first)
      for (const { eventId } of first) assert.equal(first.filter((other) => other.eventId === eventId).length, 1)
    }
  })
  rule("reads any body without throwing, and none that is not the provider's as a notice", () => {
    for (const body of ["", ...foreignBodies, ...shapelessBodies]) assert.deepEqual(decode({ headers: {}, body }), [])
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.jsonValue().map((value) => JSON.stringify(value)),
        ),
        (body) => {
          assert.deepEqual(decode({ headers: {}, body }), [])
        },
      ),
      { numRuns: 200 },
    )
  })
  rule("verifies any request without throwing", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.dictionary(fc.string(), fc.string(), { maxKeys: 4 }),
        fc.string(),
        (body, headers, secret) => {
          assert.notEqual(verify({ headers, body }, [secret]), "genuine")
        },
      ),
      { numRuns: 200 },
    )
  })
  rule("survives samples with any field missing, of another type or of an unheard-of value", () => {
    for (const { body } of samples) {
      const parsed = parseJson(body)
      for (const place of placesOf(parsed))
        for (const value of wrongValues) decode({ headers: {}, body: JSON.stringify(replaceAt(parsed, place, value)) })
    }
  })
  rule("acknowledges with a status of success", () =>
    assert.ok(webhook.acknowledgement.status >= 200 && webhook.acknowledgement.status < 300),
  )
  return rules
}

// Facts that may be booked out of a notice.
const facts = (notices: readonly Notice[]): unknown =>
  notices.map(
    ({ about, eventId, attempt, operation, reference, operationReference, sum, final, trust, outcome, ...rest }) =>
      trust === "hint"
        ? "hint"
        : inJson({
            about,
            eventId,
            attempt,
            operation,
            reference,
            operationReference,
            kind: outcome.kind,
            effect: outcome.kind === "approved" ? outcome.effect : undefined,
            amount: outcome.kind === "approved" ? outcome.amount : undefined,
            sum,
            final,
            currency: rest.currency,
            dispute: rest.dispute && { id: rest.dispute.id, stage: rest.dispute.stage, amount: rest.dispute.amount },
          }),
  )

function assertTamperingShows(
  request: WebhookRequest,
  { covers }: WebhookMaterial,
  isGenuine: (tampered: WebhookRequest) => boolean,
  decode: (request: WebhookRequest) => readonly Notice[],
): void {
  const original = facts(decode(request))
  for (let place = 0; place < request.body.length; place++) {
    const tampered = { ...request, body: changedAt(request.body, place) }
    if (!isGenuine(tampered)) continue
    assert.equal(covers, "fields", `genuine with ${request.body.slice(0, place)}(!) changed`)
    const now = facts(decode(tampered)) as readonly unknown[]
    const changed = now.filter(
      (fact, index) => fact !== "hint" && JSON.stringify(fact) !== JSON.stringify((original as unknown[])[index]),
    )
    assert.deepEqual(changed, [], `signed facts changed at ${request.body.slice(place - 20, place + 20)}`)
  }
  if (covers === "fields") return
  for (const [name, value] of Object.entries(request.headers))
    for (let place = 0; place < value.length; place++) {
      const tampered = { ...request, headers: { ...request.headers, [name]: changedAt(value, place) } }
      const harmless = isGenuine(tampered) && JSON.stringify(facts(decode(tampered))) === JSON.stringify(original)
      // Headers of transport are nobody's secret; the one with the signature must be among those that count.
      if (isGenuine(tampered)) assert.ok(harmless && !/sign/i.test(name), `genuine with ${name} changed at ${place}`)
    }
}

const changedAt = (text: string, place: number): string =>
  text.slice(0, place) + (text[place] === "0" ? "Z" : "0") + text.slice(place + 1)

/** More notices than that in one delivery is no provider's. */
const maxNotices = 1_000

function assertNotices(notices: readonly Notice[]): void {
  assert.ok(notices.length <= maxNotices)
  for (const notice of notices) {
    assert.ok(notice.eventId !== "" && notice.type !== "", "a notice has an id and a type")
    for (const text of [notice.attempt, notice.operation, notice.reference, notice.operationReference])
      assert.ok(text === undefined || (typeof text === "string" && text !== ""))
    const { outcome } = notice
    assert.ok(outcome.raw.code !== "", "a notice keeps the provider's code")
    if (outcome.kind === "approved") {
      assert.equal(typeof outcome.amount, "bigint")
      assert.ok(outcome.amount >= 0n)
      const moves = !["prepared", "verified", "voided"].includes(outcome.effect)
      if (moves) assert.ok(notice.currency !== undefined, "an amount without its currency cannot be booked")
    }
    if (notice.sum !== undefined || notice.final !== undefined)
      assert.ok(
        notice.about === "capture" && notice.operation === undefined && outcome.kind === "approved",
        "sums and ends are told of captures that somebody made by hand",
      )
    assert.notEqual(outcome.kind, "not_sent", "a webhook tells of what is there")
    // The one thing that may be told of what is not there: a reversal, answered by webhook, that found nothing.
    assert.ok(outcome.kind !== "absent" || notice.about === "reverse", "a webhook tells of what is there")
    const digits = JSON.stringify(inJson(notice)).match(/(?<![\w-])[2-9]\d{12,18}(?![\w-])/g) ?? []
    for (const run of digits) assert.ok(!isCardNumber(run), "a notice holds what looks like a card number")
  }
}
