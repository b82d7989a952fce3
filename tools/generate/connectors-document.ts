// docs/connectors.md: what every connector can do, written from the manifests that the engine and the router run on.
// What stands here is what runs; why it is so stands in each connector's NOTES.md.

import { networks } from "../../packages/server/src/core/card.ts"
import type {
  Field,
  InquiryStrength,
  Manifest,
  OperationSupport,
} from "../../packages/server/src/connectors/connector.ts"
import { connectorsFolder } from "./connector-folders.ts"
import { code, duration, table } from "./markdown.ts"

const intro = `# Connectors

<!-- Generated from the manifests in ${connectorsFolder} by npm run generate. Do not edit. -->

A connector is what Orchestra knows of one provider: data (a manifest and tables) and pure functions that write requests
and read answers. The router excludes what an account cannot serve, and the engine settles unknown outcomes, by exactly
the facts below. Why they are as they are, with links, stands in each connector's notes.

- **Idempotency**: which earlier answers the provider repeats for the same key, and for how long. Only where it repeats
  *all* of them, failures included, may an unanswered request be sent again to learn what became of it.
- **Inquiry**: whether we can ask what became of an operation, by the provider's reference or by our own. *Strong* sees
  everything that has taken effect; *after …* sees it only when that long has passed.
- **Accepted first**: the answer only says that the request was taken; the verdict follows by webhook or inquiry.`

export function connectorsDocument(manifests: readonly Manifest[]): string {
  return [intro, glance(manifests), ...manifests.map(section)].join("\n\n") + "\n"
}

const featureNames: Readonly<Record<keyof Manifest["features"], string>> = {
  partialCapture: "Capture of a part",
  multipleCaptures: "Several captures",
  partialRefund: "Refund of a part",
  multipleRefunds: "Several refunds",
  zeroAmount: "Card check with amount 0",
  partialApproval: "Partial approval",
  externalThreeDs: "3-D Secure done elsewhere",
  merchantInitiated: "Merchant-initiated payments",
}

const mark = (yes: boolean): string => (yes ? "yes" : "–")

function glance(manifests: readonly Manifest[]): string {
  const row = (title: string, cell: (manifest: Manifest) => string): readonly string[] => [
    title,
    ...manifests.map(cell),
  ]
  const rows = [
    row("API version", ({ api }) => api.version),
    row("Cards", ({ methods }) => mark(methods.card)),
    row("Network tokens", ({ methods }) => mark(methods.networkToken)),
    row("The provider's own tokens", ({ methods }) => mark(methods.providerToken)),
    row("Networks", ({ methods }) => String(methods.networks.length)),
    row("Currencies", ({ currencies }) => (currencies === "all" ? "all" : String(currencies.length))),
    row("Increments", ({ operations }) => mark(operations.increment !== undefined)),
    ...Object.entries(featureNames).map(([name, title]) =>
      row(title, ({ features }) => mark(features[name as keyof typeof features])),
    ),
    row("An unknown payment is settled by", settledBy),
  ]
  const head = ["", ...manifests.map(({ id, name }) => `[${name}](#${id})`)]
  return `## At a glance\n\n${table(head, rows)}`
}

function settledBy({ operations, reverse }: Manifest): string {
  const authorize = operations.authorize
  if (authorize === undefined) return "–"
  const ways = [
    ...(authorize.replay.stores === "all" ? ["repeating it"] : []),
    ...(canAsk(authorize) ? ["asking"] : []),
    ...(reverse.byAttempt ? ["reversal by our reference"] : []),
    "webhook",
  ]
  return ways.join(", ")
}

const canAsk = ({ inquiry }: OperationSupport): boolean =>
  inquiry.byReference !== "none" || inquiry.byAttempt !== "none"

function section(manifest: Manifest): string {
  const { id, name, website, baseUrl, api } = manifest
  const sunset = api.sunset === undefined ? "" : `, retired by the provider on ${api.sunset}`
  return `<a id="${id}"></a>

## ${name}

[Website](${website}) · [notes](../${connectorsFolder}/${id}/NOTES.md) · API version ${code(api.version)}${sunset} (${cited(api.source)})

- Live: ${code(baseUrl.live)}
- Test: ${code(baseUrl.test)}

### Account

${fields(manifest)}

### Operations

${operations(manifest)}

${list([
  `**Reversal** of an attempt whatever became of it: ${reversal(manifest)}`,
  `**After a redirect** the result is learned by ${manifest.completion === "call" ? "a call of its own" : "inquiry"}; the page stays usable for ${duration(manifest.actionMs)}.`,
  ...(manifest.authorizationMs === undefined
    ? []
    : [`**Authorizations** are held for ${duration(manifest.authorizationMs)} at most.`]),
])}

### What it takes

${list(taken(manifest))}

### Limits

${limits(manifest)}

### Webhooks

${webhooks(manifest)}`
}

const list = (items: readonly string[]): string => items.map((item) => `- ${item}`).join("\n")

/** Addresses in a source become links in Markdown only between angle brackets. */
const cited = (source: string): string =>
  source.replaceAll(/https:\/\/[^\s,;()]*[^\s,;().:]/g, (address) => `<${address}>`)

function fields({ credentials, settings }: Manifest): string {
  const row =
    (kind: string) =>
    ({ name, title, pattern, optional, hint, identifies }: Field): readonly string[] => [
      code(name),
      `${title} (${kind}${optional === true ? ", optional" : ""}${identifies === true ? ", fixed" : ""})`,
      pattern === undefined ? "" : code(pattern),
      hint ?? "",
    ]
  return table(
    ["name", "what", "form", "where to find it"],
    [...credentials.map(row("credential")), ...settings.map(row("setting"))],
  )
}

function operations({ operations: supported }: Manifest): string {
  const rows = Object.entries(supported).map(([operation, support]) => [
    code(operation),
    support.acceptedFirst ? "accepted first" : "at once",
    replay(support),
    strength(support.inquiry.byReference),
    strength(support.inquiry.byAttempt),
    cited(support.source),
  ])
  return table(["operation", "answer", "idempotency", "inquiry by its reference", "inquiry by ours", "source"], rows)
}

function replay({ replay: { stores, windowMs } }: OperationSupport): string {
  switch (stores) {
    case "all":
      return `repeats all answers for ${duration(windowMs)}`
    case "2xx":
      return `repeats successes for ${duration(windowMs)}`
    case "none":
      return "none"
    default:
      return stores satisfies never
  }
}

function strength(inquiry: InquiryStrength): string {
  if (inquiry === "none") return "–"
  return inquiry === "strong" ? "strong" : `after ${duration(inquiry.eventualMs)}`
}

function reversal({ reverse }: Manifest): string {
  const by = [
    ...(reverse.byReference ? ["the provider's reference"] : []),
    ...(reverse.byAttempt ? ["our reference"] : []),
  ]
  const how = by.length === 0 ? "not offered" : `by ${by.join(" or ")}`
  const absence =
    reverse.absence === "proof" ? "“nothing to reverse” proves absence" : "“nothing to reverse” proves nothing"
  return `${how}; ${absence} (${cited(reverse.source)}).`
}

function taken(manifest: Manifest): readonly string[] {
  const { methods, currencies, exponents, steps = {}, features, networkTransactionIds: ids } = manifest
  const kinds = [
    ...(methods.card ? ["cards"] : []),
    ...(methods.networkToken ? ["network tokens"] : []),
    ...(methods.providerToken ? ["the provider's own tokens"] : []),
  ]
  const digits = Object.entries(exponents).map(([currency, exponent]) => `${currency} ${exponent}`)
  const stepped = Object.entries(steps).map(([currency, step]) => `${currency} ${step}`)
  const able = Object.entries(featureNames).filter(([name]) => features[name as keyof typeof features])
  const unable = Object.entries(featureNames).filter(([name]) => !features[name as keyof typeof features])
  const named = (entries: readonly (readonly [string, string])[]): string =>
    entries.map(([, title]) => title.toLowerCase().replace("3-d secure", "3-D Secure")).join(", ")
  return [
    `**Methods**: ${kinds.join(", ")}.`,
    `**Networks**: ${methods.networks.map((network) => networks[network].name).join(", ")}.`,
    ...(methods.tokenNetworks === undefined
      ? []
      : [`**Network tokens of**: ${methods.tokenNetworks.map((network) => networks[network].name).join(", ")}.`]),
    ...(ids === undefined
      ? []
      : [
          `**Network transaction ids** of payments made elsewhere: ${ids === "never" ? "no" : `only with the setting \`${ids.setting}\``}.`,
        ]),
    `**Currencies**: ${currencies === "all" ? "all of ISO 4217" : currencies.join(" ")}.`,
    ...(digits.length === 0 ? [] : [`**Minor digits other than ISO 4217**: ${digits.join(", ")}.`]),
    ...(stepped.length === 0 ? [] : [`**Smallest step**, in minor units: ${stepped.join(", ")}.`]),
    ...(able.length === 0 ? [] : [`**Features**: ${named(able)}.`]),
    ...(unable.length === 0 ? [] : [`**Not**: ${named(unable)}.`]),
  ]
}

function limits({ limits: { listenMs, answerMs, inFlightMs, keepAliveMs, connections } }: Manifest): string {
  return table(
    ["limit", "value"],
    [
      ["We wait for an answer at most", duration(listenMs)],
      ["No attempt starts with less time left than", duration(answerMs)],
      ["A request may still take effect after", duration(inFlightMs)],
      ["Idle connections are closed after", duration(keepAliveMs)],
      ["Connections at once, per process", String(connections)],
    ],
  )
}

function webhooks({ webhooks: { toleranceMs, settleWithinMs, source } }: Manifest): string {
  const signed =
    toleranceMs === undefined
      ? "Signatures carry no time; deliveries are deduplicated by their event."
      : `Signed times older than ${duration(toleranceMs)} are refused.`
  return `${signed} Where only a webhook can settle an unknown outcome, it is awaited for ${duration(settleWithinMs)}. Source: ${cited(source)}.`
}
