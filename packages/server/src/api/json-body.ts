// The body of a request, read once and in one meaning only. Whoever stands between a shop and us (a proxy, a firewall, a
// log) reads the same bytes with another parser, and must not see another amount in them. So what parsers disagree about
// is refused, with its place: fields that are there twice, numbers that are whole but not written so, or too large to be
// read exactly, texts that are no texts (PostgreSQL, too, stores neither NUL nor half a character).

import type { FastifyRequest } from "fastify"
import { Fault, type FieldError } from "../core/fault.ts"
import { maskPans } from "../core/pan-mask.ts"
import { MAX_FIELD_ERRORS } from "./problem.ts"

/** Objects and lists inside each other; the deepest that we ask for has six. */
export const MAX_JSON_DEPTH = 32

/** For Fastify, which hands over bytes of content type application/json. */
export async function readJsonBody(request: FastifyRequest, bytes: Buffer): Promise<unknown> {
  const charset = CHARSET.exec(request.headers["content-type"] ?? "")?.[1]
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    throw new Fault("request.unsupported_media_type", { detail: "JSON is written in UTF-8: send it so." })
  const encoding = request.headers["content-encoding"]
  if (encoding !== undefined && encoding !== "identity")
    throw new Fault("request.unsupported_media_type", { detail: "Send the body as it is, without content-encoding." })
  // Clients that always name a content type also do so where there is nothing to say.
  if (bytes.length === 0 && request.routeOptions.schema?.body === undefined) return undefined
  return parseJson(bytes)
}

const CHARSET = /;\s*charset\s*=\s*"?([^";\s]+)/i

export function parseJson(bytes: Uint8Array): unknown {
  const text = textOf(bytes)
  if (text.trim() === "")
    throw new Fault("request.invalid_json", { detail: "The body is empty; send {} where there is nothing to say." })
  const value = valueOf(text)
  const errors = ambiguities(text)
  if (errors.length > 0) throw new Fault("request.invalid", { errors })
  return value
}

const UTF_8 = new TextDecoder("utf-8", { fatal: true })

/** A byte order mark says nothing and is skipped. */
function textOf(bytes: Uint8Array): string {
  try {
    return UTF_8.decode(bytes)
  } catch {
    throw new Fault("request.invalid_json", { detail: "The body holds bytes that are not UTF-8." })
  }
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // The parser's own words quote the body, which may hold a card number.
    const position = /at position (\d+)/.exec(String(error))?.[1]
    const place = position === undefined ? "to its end" : `from ${placeOf(text, Number(position))} on`
    throw new Fault("request.invalid_json", { detail: `The body is not JSON ${place}.` })
  }
}

function placeOf(text: string, position: number): string {
  const lines = text.slice(0, position).split("\n")
  return `line ${lines.length}, column ${(lines.at(-1) ?? "").length + 1}`
}

/** An object or list that we are in, and where in it: at a field, once its name is read, or at a place. */
type Open = { readonly names: Set<string> | undefined; place: string | number | undefined }

/** What another parser might read otherwise. `text` is known to be JSON, so that marks, strings and numbers say it all. */
function ambiguities(text: string): readonly FieldError[] {
  const errors: FieldError[] = []
  const open: Open[] = []
  const note = (detail: string | undefined): void => {
    if (detail !== undefined) errors.push({ pointer: maskPans(pointerOf(open)), detail })
  }
  for (let at = 0; at < text.length && errors.length < MAX_FIELD_ERRORS; at++) {
    const mark = text.charAt(at)
    const inside = open.at(-1)
    if (mark === '"') {
      const end = endOfString(text, at)
      const word = text.slice(at + 1, end - 1)
      const said = word.includes("\\") ? (JSON.parse(text.slice(at, end)) as string) : word
      if (inside?.names !== undefined && inside.place === undefined) {
        inside.place = said
        note(wrongName(inside.names, said))
        inside.names.add(said)
      } else if (!isText(said)) note(NO_TEXT)
      at = end - 1
    } else if (mark === "-" || isDigit(mark)) {
      const end = endOfNumber(text, at)
      note(wrongNumber(text.slice(at, end)))
      at = end - 1
    } else if (mark === "{" || mark === "[") {
      if (open.length >= MAX_JSON_DEPTH) {
        note(`is nested more than ${MAX_JSON_DEPTH} deep`)
        break
      }
      open.push(mark === "{" ? { names: new Set(), place: undefined } : { names: undefined, place: 0 })
    } else if (mark === "}" || mark === "]") open.pop()
    else if (mark === "," && inside !== undefined)
      inside.place = typeof inside.place === "number" ? inside.place + 1 : undefined
  }
  return errors
}

/** Behind its closing quote. */
function endOfString(text: string, start: number): number {
  let at = text.indexOf('"', start + 1)
  while (isEscaped(text, at)) at = text.indexOf('"', at + 1)
  return at + 1
}

/** Behind an odd number of backslashes. */
function isEscaped(text: string, at: number): boolean {
  let before = at - 1
  while (text.charAt(before) === "\\") before -= 1
  return (at - before) % 2 === 0
}

function endOfNumber(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && (isDigit(text.charAt(at)) || ".eE+-".includes(text.charAt(at)))) at += 1
  return at
}

const isDigit = (mark: string): boolean => mark >= "0" && mark <= "9"

/** Texts that can be stored and handed on: no NUL, no half of a character. */
export const isText = (text: string): boolean => text.isWellFormed() && !text.includes("\0")
export const NO_TEXT = "must not contain NUL or half of a surrogate pair"

function wrongName(names: ReadonlySet<string>, name: string): string | undefined {
  if (names.has(name)) return "is there twice: send each field once"
  if (!isText(name)) return NO_TEXT
  // To JavaScript it is no field like others.
  return name === "__proto__" ? "is not a name that a field may have" : undefined
}

function wrongNumber(token: string): string | undefined {
  if (/^-?\d+$/.test(token))
    return token === "-0" || !Number.isSafeInteger(Number(token))
      ? "must be a number that every parser reads alike: no -0, and nothing beyond 9007199254740991"
      : undefined
  return Number.isInteger(Number(token)) ? "must be written in plain digits, such as 1000 for 1e3 or 1000.0" : undefined
}

const pointerOf = (open: readonly Open[]): string =>
  ["#", ...open.flatMap(({ place }) => (place === undefined ? [] : escaped(String(place))))].join("/")

const escaped = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1")
