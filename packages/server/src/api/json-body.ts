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

/** A byte order mark says nothing and is skipped. */
function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
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

/** One object or list that is open where we are. */
type Open =
  | { readonly names: Set<string>; name: string | undefined; readonly index?: undefined }
  | { readonly names?: undefined; index: number }

/** A bracket or comma, a string, or a number. The rest of a text that is known to be JSON says nothing about its shape. */
const TOKEN = /[{}[\],]|"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g

/** What another parser might read otherwise. `text` is known to be JSON. */
function ambiguities(text: string): readonly FieldError[] {
  const errors: FieldError[] = []
  const open: Open[] = []
  const note = (detail: string): void => void errors.push({ pointer: maskPans(pointerOf(open)), detail })
  for (const [token] of text.matchAll(TOKEN)) {
    if (errors.length >= MAX_FIELD_ERRORS) break
    const inside = open.at(-1)
    switch (token.charAt(0)) {
      case "{":
      case "[":
        if (open.length >= MAX_JSON_DEPTH) {
          note(`is nested more than ${MAX_JSON_DEPTH} deep`)
          return errors
        }
        open.push(token === "{" ? { names: new Set(), name: undefined } : { index: 0 })
        break
      case "}":
      case "]":
        open.pop()
        break
      case ",":
        if (inside?.names !== undefined) inside.name = undefined
        else if (inside !== undefined) inside.index += 1
        break
      case '"': {
        const word = token.includes("\\") ? (JSON.parse(token) as string) : token.slice(1, -1)
        if (inside?.names !== undefined && inside.name === undefined) {
          inside.name = word
          const wrong = wrongName(inside.names, word)
          if (wrong !== undefined) note(wrong)
          inside.names.add(word)
        } else if (!isText(word)) note(NO_TEXT)
        break
      }
      default: {
        const wrong = wrongNumber(token)
        if (wrong !== undefined) note(wrong)
      }
    }
  }
  return errors
}

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
  [
    "#",
    ...open.flatMap(({ names, ...at }) =>
      names === undefined
        ? [String((at as { readonly index: number }).index)]
        : ((at as { readonly name?: string }).name?.replaceAll("~", "~0").replaceAll("/", "~1") ?? []),
    ),
  ].join("/")
