// What a rule's retry plan says that never comes to pass.

import { finding, type Finding } from "./policy-finding.ts"
import type { RetryPlan, RetryStep } from "./retry-plan.ts"

/** `at`: of the plan. `longestAnswerMs`: the most time that a payment may have. */
export function checkRetry(plan: RetryPlan | undefined, at: string, longestAnswerMs: number): readonly Finding[] {
  if (plan === undefined) return []
  const { maxRetries, steps } = plan
  if (maxRetries === 0)
    return steps.length === 0
      ? []
      : [finding("retry_without_effect", `${at}/max_retries`, "is 0: no step of the plan is ever taken")]
  if (steps.length === 0)
    return [
      finding(
        "retry_without_effect",
        `${at}/steps`,
        "is empty: nothing follows a decline, and what came to nothing is tried at the next account",
      ),
    ]
  return steps.flatMap((step, index) => checkDelays(step, `${at}/steps/${index}/delay_seconds`, longestAnswerMs))
}

function checkDelays({ delaySeconds, times, initiator }: RetryStep, at: string, longestAnswerMs: number) {
  const found: Finding[] = []
  if (delaySeconds.length > times)
    found.push(
      finding(
        "retry_without_effect",
        `${at}/${times}`,
        `is never waited: the step is taken ${times === 1 ? "once" : `${times} times`} at most`,
      ),
    )
  const late = delaySeconds.findIndex((seconds) => seconds * 1000 >= longestAnswerMs)
  if (initiator === "customer" && late >= 0)
    found.push(
      finding(
        "retry_without_effect",
        `${at}/${late}`,
        `is longer than a customer's payment may last (${longestAnswerMs / 1000} s): only the merchant's own payments wait so long`,
      ),
    )
  return found
}
