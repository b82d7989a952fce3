// Card data never reaches a log: numbers keep their first six and last four digits, security codes nothing.

/** 12 to 19 digits that do not stand within a longer run of word characters (ids, keys, hashes). */
const CARD_NUMBER = /(?<![\w])(\d{6})\d{2,9}(\d{4})(?![\w])/g
const SPACED_CARD_NUMBER = /(?<![\w])(\d{4})[ +](\d{2})\d{2}[ +]\d{4}[ +]\d{0,3}(\d{4})(?![\w])/g
const SECURITY_CODE =
  /((?:cvc|cvv|cvn|cvc2|cvv2|securityCode|security_code|cryptogram)(?:%5D|\])?"?\s*[=:]\s*"?)[^"&,}\s]+/gi

export function scrub(text: string): string {
  return text
    .replace(SECURITY_CODE, "$1***")
    .replace(SPACED_CARD_NUMBER, "$1$2******$3")
    .replace(CARD_NUMBER, "$1******$2")
}
