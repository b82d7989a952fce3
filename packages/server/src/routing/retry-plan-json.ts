// A retry plan as the JSON (snake_case) that a policy holds and people write: read with every problem and its place, and
// written so that it reads back as it was.

import type { AttemptShape } from "../core/attempt-shape.ts"
import { type DeclineCategory, declineCategories, isDeclineReason } from "../core/decline.ts"
import { given } from "../core/given.ts"
import { fields, type Form, integer, isTrue, list, oneOf, optional, type Problem, problem, text } from "./json-form.ts"
import {
  type ErrorRate,
  MAX_DELAYS,
  MAX_DELAY_SECONDS,
  MAX_DESCRIPTOR,
  MAX_RATE_ATTEMPTS,
  MAX_RATE_WINDOW_SECONDS,
  MAX_RETRIES,
  MAX_RETRY_STEPS,
  MAX_STEP_NAME,
  reservedSteps,
  type RetryPlan,
  type RetryStep,
} from "./retry-plan.ts"

export type RetryPlanReading =
  | { readonly kind: "plan"; readonly plan: RetryPlan }
  | { readonly kind: "broken"; readonly problems: readonly Problem[] }

/** The plan of a JSON document (snake_case), or everything that is wrong with it. */
export function readRetryPlan(json: unknown): RetryPlanReading {
  const form: Form = { problems: [] }
  const plan = readPlan(form, json)
  return plan === undefined || form.problems.length > 0
    ? { kind: "broken", problems: form.problems }
    : { kind: "plan", plan }
}

function readPlan(form: Form, json: unknown): RetryPlan | undefined {
  const object = fields(form, "", json, ["max_retries", "steps"])
  if (object === undefined) return undefined
  const maxRetries = integer(form, "/max_retries", object["max_retries"], { min: 0, max: MAX_RETRIES })
  const steps = list(form, "/steps", object["steps"], { max: MAX_RETRY_STEPS }, (at, step) => readStep(form, at, step))
  if (maxRetries === undefined || steps === undefined) return undefined
  const names = steps.map(({ name }) => name)
  for (const [index, name] of names.entries())
    if (names.indexOf(name) < index) problem(form, `/steps/${index}/name`, "is the name of an earlier step")
  return { maxRetries, steps }
}

const stepFields = [
  "name",
  "on",
  "initiator",
  "times",
  "provider",
  "delay_seconds",
  "shape",
  "only_above",
  "avoid_above",
] as const

function readStep(form: Form, at: string, json: unknown): RetryStep | undefined {
  const object = fields(form, at, json, stepFields)
  if (object === undefined) return undefined
  const name = text(form, `${at}/name`, object["name"], MAX_STEP_NAME)
  if (name !== undefined && reservedSteps.includes(name))
    problem(form, `${at}/name`, "is the name of a step that no plan writes: take another")
  const on = readOn(form, `${at}/on`, object["on"])
  const initiator = optional(object, "initiator", at, (place, value) =>
    oneOf(form, place, value, ["customer", "merchant"]),
  )
  const times = integer(form, `${at}/times`, object["times"], { min: 1, max: MAX_RETRIES })
  const provider = oneOf(form, `${at}/provider`, object["provider"], ["same", "other", "any"])
  const delaySeconds = optional(object, "delay_seconds", at, (place, value) =>
    list(form, place, value, { max: MAX_DELAYS }, (entry, seconds) =>
      integer(form, entry, seconds, { min: 0, max: MAX_DELAY_SECONDS }),
    ),
  )
  const shape = optional(object, "shape", at, (place, value) => readShape(form, place, value))
  const onlyAbove = optional(object, "only_above", at, (place, value) => readRate(form, place, value))
  const avoidAbove = optional(object, "avoid_above", at, (place, value) => readRate(form, place, value))
  if (shape?.merchantInitiated === true && initiator === "customer")
    problem(
      form,
      `${at}/shape/merchant_initiated`,
      "contradicts `initiator`: a customer's own payment is none of the merchant's",
    )
  if (name === undefined || on === undefined || times === undefined || provider === undefined) return undefined
  return given({
    name,
    on,
    initiator,
    times,
    provider,
    delaySeconds: delaySeconds ?? [],
    shape: shape ?? {},
    onlyAbove,
    avoidAbove,
  })
}

function readOn(form: Form, at: string, json: unknown): RetryStep["on"] | undefined {
  const object = fields(form, at, json, ["categories", "reasons", "not_executed"])
  if (object === undefined) return undefined
  const known = Object.keys(declineCategories) as DeclineCategory[]
  const categories = optional(object, "categories", at, (place, value) =>
    list(form, place, value, { min: 1, max: known.length }, (entry, category) => oneOf(form, entry, category, known)),
  )
  const reasons = optional(object, "reasons", at, (place, value) =>
    list(form, place, value, { min: 1, max: 256 }, (entry, reason) =>
      typeof reason === "string" && isDeclineReason(reason) ? reason : problem(form, entry, "is no decline reason"),
    ),
  )
  const notExecuted = optional(object, "not_executed", at, (place, value) => isTrue(form, place, value))
  if (Object.keys(object).length === 0) problem(form, at, "names nothing: the step would never be taken")
  return given({ categories, reasons, notExecuted })
}

function readShape(form: Form, at: string, json: unknown): AttemptShape | undefined {
  const known = ["credential", "three_ds", "merchant_initiated", "descriptor", "updated_account"]
  const object = fields(form, at, json, known)
  if (object === undefined) return undefined
  const credential = optional(object, "credential", at, (place, value) =>
    oneOf(form, place, value, ["card", "network_token"]),
  )
  const threeDs = optional(object, "three_ds", at, (place, value) => oneOf(form, place, value, ["required", "none"]))
  const merchantInitiated = optional(object, "merchant_initiated", at, (place, value) => isTrue(form, place, value))
  const descriptor = optional(object, "descriptor", at, (place, value) => text(form, place, value, MAX_DESCRIPTOR))
  const updatedAccount = optional(object, "updated_account", at, (place, value) => isTrue(form, place, value))
  if (merchantInitiated === true && threeDs === "required")
    problem(form, `${at}/three_ds`, "cannot be required of a payment without the customer")
  return given({ credential, threeDs, merchantInitiated, descriptor, updatedAccount })
}

function readRate(form: Form, at: string, json: unknown): ErrorRate | undefined {
  const object = fields(form, at, json, ["at_least_bps", "window_seconds", "minimum_attempts"])
  if (object === undefined) return undefined
  const atLeastBps = integer(form, `${at}/at_least_bps`, object["at_least_bps"], { min: 1, max: 10_000 })
  const windowSeconds = integer(form, `${at}/window_seconds`, object["window_seconds"], {
    min: 1,
    max: MAX_RATE_WINDOW_SECONDS,
  })
  const minimumAttempts = integer(form, `${at}/minimum_attempts`, object["minimum_attempts"], {
    min: 1,
    max: MAX_RATE_ATTEMPTS,
  })
  return atLeastBps === undefined || windowSeconds === undefined || minimumAttempts === undefined
    ? undefined
    : { atLeastBps, windowSeconds, minimumAttempts }
}

/** The JSON form that `readRetryPlan` reads. */
export function retryPlanToJson({ maxRetries, steps }: RetryPlan): unknown {
  return {
    max_retries: maxRetries,
    steps: steps.map(({ name, on, initiator, times, provider, delaySeconds, shape, onlyAbove, avoidAbove }) =>
      given({
        name,
        on: given({ categories: on.categories, reasons: on.reasons, not_executed: on.notExecuted }),
        initiator,
        times,
        provider,
        delay_seconds: delaySeconds.length === 0 ? undefined : delaySeconds,
        shape: Object.keys(shape).length === 0 ? undefined : shapeToJson(shape),
        only_above: onlyAbove === undefined ? undefined : rateToJson(onlyAbove),
        avoid_above: avoidAbove === undefined ? undefined : rateToJson(avoidAbove),
      }),
    ),
  }
}

const shapeToJson = ({ credential, threeDs, merchantInitiated, descriptor, updatedAccount }: AttemptShape): unknown =>
  given({
    credential,
    three_ds: threeDs,
    merchant_initiated: merchantInitiated,
    descriptor,
    updated_account: updatedAccount,
  })

const rateToJson = ({ atLeastBps, windowSeconds, minimumAttempts }: ErrorRate): unknown => ({
  at_least_bps: atLeastBps,
  window_seconds: windowSeconds,
  minimum_attempts: minimumAttempts,
})
