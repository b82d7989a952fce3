// Removing what must not be stored from the text of a request or answer: card numbers wherever they stand, and the
// values of named fields in JSON and forms, also where one is wrapped in the other (a form in a JSON text in a log line).
// It works on text and not on parsed bodies, because what has to be kept for people is often what did not parse.

import { maskGroups } from "../core/pan-mask.ts"

export type Scrubbing = {
  /** Names of fields and headers whose values go, in any case: `cvc`, `cryptogram`, `authorization`. */
  readonly fields: readonly string[]
  /** Credentials that can be told by their form, wherever they stand. Global patterns. */
  readonly patterns: readonly RegExp[]
}

/** What stands in place of a secret. It needs no escaping in JSON, forms and headers. */
const blank = "***"

export function scrubber({ fields, patterns }: Scrubbing): (text: string) => string {
  const names = fields.map((name) => name.replaceAll(/[^\w-]/g, "")).join("|")
  // A quote as it is, escaped for JSON several times, or percent-encoded several times. Every repetition is bounded: a body
  // of nothing but backslashes must not cost more than one of letters.
  const percent = String.raw`%(?:25){0,8}`
  const quote = String.raw`(?:\\{0,64}"|(?:${percent}5C){0,64}${percent}22)`
  const inQuotes = String.raw`(?:(?!${percent}(?:22|5C))(?:[^"\\]|\\{1,64}[^"\\]))*`
  const space = String.raw`(?:\s|\+|${percent}20){0,32}`
  const colon = `${space}(?::|${percent}3A)${space}`
  const json = new RegExp(`(${quote})(${names})(${quote})(${colon})(?:(${quote})${inQuotes}|[-\\w.]+)`, "gi")
  const form = new RegExp(
    String.raw`(^|[^\w-]|${percent}[\dA-F]{2})(${names})((?:\]|${percent}5D){0,16}(?:=|${percent}3D))(?:(?!${percent}26)[^&"\\\s])*`,
    "gi",
  )
  const line = new RegExp(String.raw`(^|[\r\n])(${names})(\s*:\s*)[^\r\n]*`, "gi")
  return (text) => {
    let clean = text
      .replace(json, (_all, before: string, name: string, after: string, gap: string, open?: string) =>
        open === undefined
          ? `${before}${name}${after}${gap}${before}${blank}${before}`
          : `${before}${name}${after}${gap}${open}${blank}`,
      )
      .replace(form, `$1$2$3${blank}`)
      .replace(line, `$1$2$3${blank}`)
    for (const pattern of patterns) clean = clean.replace(pattern, blank)
    return clean.replace(digitRuns, maskNumber)
  }
}

// Thirteen digits and more, as people group them and as forms encode the gaps.
const digitRuns = /\d(?:(?:[ -]|\+|%(?:25){0,8}20)?\d){12,}/g
const groups = /\d+(?:(?=[ +-]|%)(?:[ +-]|%(?:25){0,8}20))?/g

function maskNumber(run: string, offset: number, text: string): string {
  // After a percent sign the first digits belong to an escape (%22, %2522), not to the number.
  const escaped = text[offset - 1] === "%"
  for (const start of escaped ? [0, 2, 4, 6] : [0]) {
    const rest = run.slice(start)
    const masked = maskGroups(rest, groups, (digits) => blank + digits.slice(-4))
    if (masked === rest) continue
    const isWhole = /^\*+\d{4}$/.test(masked)
    const bare =
      isWhole &&
      /[:[,]\s*$/.test(text.slice(Math.max(0, offset - 8), offset)) &&
      /^\s*[,}\]]/.test(text.slice(offset + run.length, offset + run.length + 8))
    return run.slice(0, start) + (bare ? `"${masked}"` : masked)
  }
  return run
}
