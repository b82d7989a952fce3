// docs/faults.md and the page /faults, from the table of faults itself. Pure: the caller writes the text.

import { faults, type FaultCode } from "./fault.ts"

/** Codes by what they are about: the part before the dot. */
const subjects: Readonly<Record<string, string>> = {
  request: "Requests",
  auth: "Authentication",
  resource: "Resources",
  idempotency: "Idempotency",
  payment: "Payments",
  amount: "Amounts",
  provider: "Providers",
  operation: "One operation",
  operations: "Operations",
  account: "Accounts",
  webhook: "Webhooks from providers",
  insight: "Insight",
  server: "Our own",
}

export type FaultEntry = {
  readonly code: FaultCode
  readonly status: number
  readonly title: string
  readonly help: string
}

/** Every fault, under the heading of its subject. */
export function faultSections(): readonly { readonly title: string; readonly faults: readonly FaultEntry[] }[] {
  const entries = (Object.keys(faults) as FaultCode[]).map((code) => ({ code, ...faults[code] }))
  const bySubject = Map.groupBy(entries, ({ code }) => code.slice(0, code.indexOf(".")))
  return [...bySubject].map(([subject, members]) => ({ title: subjects[subject] ?? subject, faults: members }))
}

/** The whole document in Markdown, with one newline at its end. */
export function faultsDocument(): string {
  const sections = faultSections().map(({ title, faults: members }) => {
    const rows = members.map(
      ({ code, status, title: words, help }) => `| \`${code}\` | ${status} | ${words} | ${help} |`,
    )
    return `## ${title}\n\n| code | status | means | what to do |\n| --- | --- | --- | --- |\n${rows.join("\n")}`
  })
  return `${[intro.trim(), ...sections].join("\n\n")}\n`
}

const intro = `
# Faults

<!-- Generated from packages/server/src/core/fault.ts by tools/generate.ts. Do not edit. -->

A request that cannot be served is answered with a problem (RFC 9457, \`application/problem+json\`): \`code\` is one of
those below, \`detail\` says more where there is more to say, \`errors\` points at fields, and \`request_id\` finds it in our
logs. Pointers are JSON pointers into the body (\`#/payment_method/card/number\`), or name a header, a query parameter or a
part of the path (\`header/idempotency-key\`, \`query/limit\`, \`path/id\`).

A declined payment is not a fault: it is answered with 201 and says in its attempts what happened.
`
