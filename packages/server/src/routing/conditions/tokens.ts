// The words of a condition's text: those of CEL that a condition can hold. Everything else is refused where it stands.

import { Refused } from "./text-problem.ts"

export type Token =
  | { readonly kind: "name"; readonly text: string; readonly at: number }
  | { readonly kind: "string"; readonly value: string; readonly at: number }
  | { readonly kind: "number"; readonly value: number; readonly whole: boolean; readonly at: number }
  | { readonly kind: "sign"; readonly text: string; readonly at: number }
  | { readonly kind: "end"; readonly at: number }

const signs = ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")", "[", "]", ",", "."] as const

/** What CEL knows and a condition cannot hold, by how it begins. */
const strangers: readonly (readonly [RegExp, string])[] = [
  [/^\/\//, "comments cannot be kept: say it in the rule's name or in the version's note"],
  [/^[+*/%-]/, "there is no arithmetic here, and no field has negative values"],
  [/^\?/, "there is no `? :` here: write `&&`, `||` and `!`"],
  [/^[{}]/, "there are no maps here"],
  [/^=/, "`==` compares"],
  [/^&/, "`&&` is and"],
  [/^\|/, "`||` is or"],
  [/^`/, 'a key that is no plain word stands in brackets: metadata["…"]'],
]

export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = []
  let at = 0
  const space = /[ \t\r\n\f]*/y
  for (;;) {
    space.lastIndex = at
    at += space.exec(text)?.[0].length ?? 0
    if (at >= text.length) return [...tokens, { kind: "end", at }]
    const [token, end] = next(text, at)
    tokens.push(token)
    at = end
  }
}

type Read = readonly [Token, number]

const name = /[A-Za-z_][A-Za-z0-9_]*/y
const number = /(?:\d+\.\d+|\d+)(?:[eE][+-]?\d+)?/y

function next(text: string, at: number): Read {
  const rest = text.slice(at, at + 2)
  if (rest[0] === '"' || rest[0] === "'") return string(text, at)
  name.lastIndex = at
  const word = name.exec(text)?.[0]
  if (word !== undefined) {
    if (/^[rRbB]{1,2}$/.test(word) && /["']/.test(text[at + word.length] ?? ""))
      throw new Refused(at, "texts stand in plain quotes, without a letter before them")
    return [{ kind: "name", text: word, at }, at + word.length]
  }
  number.lastIndex = at
  const digits = number.exec(text)?.[0]
  if (digits !== undefined) {
    const end = at + digits.length
    if (/[A-Za-z0-9_.]/.test(text[end] ?? "")) throw new Refused(at, "is no number: write digits, as in 1999 or 0.95")
    return [{ kind: "number", value: Number(digits), whole: /^\d+$/.test(digits), at }, end]
  }
  const stranger = strangers.find(([begins]) => begins.test(rest))
  const sign = signs.find((one) => rest.startsWith(one))
  if (sign !== undefined && (stranger === undefined || sign.length === 2))
    return [{ kind: "sign", text: sign, at }, at + sign.length]
  throw new Refused(
    at,
    stranger?.[1] ?? `${JSON.stringify(String.fromCodePoint(text.codePointAt(at)!))} means nothing here`,
  )
}

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  "\\": "\\",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
}

function string(text: string, at: number): Read {
  const quote = text[at]!
  if (text.startsWith(quote.repeat(3), at)) throw new Refused(at, "texts stand in single or double quotes, once")
  let value = ""
  for (let i = at + 1; i < text.length; i++) {
    const char = text[i]!
    if (char === quote) {
      if (!value.isWellFormed() || value.includes("\0")) throw new Refused(at, "has characters that are none")
      return [{ kind: "string", value, at }, i + 1]
    }
    if (char === "\n" || char === "\r") break
    if (char !== "\\") {
      value += char
      continue
    }
    const escape = text[i + 1] ?? ""
    const known = Object.hasOwn(escapes, escape) ? escapes[escape] : undefined
    const code = /^u([0-9a-fA-F]{4})/.exec(text.slice(i + 1, i + 6))?.[1]
    if (known !== undefined) {
      value += known
      i += 1
    } else if (code !== undefined) {
      // CEL knows no halves of a character.
      const unit = Number.parseInt(code, 16)
      if (unit >= 0xd800 && unit <= 0xdfff) throw new Refused(i, "is half a character: write the character itself")
      value += String.fromCharCode(unit)
      i += 5
    } else throw new Refused(i, `\\${escape} is none of the escapes \\" \\' \\\\ \\b \\f \\n \\r \\t \\uXXXX`)
  }
  throw new Refused(at, "the text has no end: its closing quote is missing")
}
