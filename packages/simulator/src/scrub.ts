// Card data never reaches a log: numbers keep their first six and last four digits, security codes nothing.

/** 12 to 19 digits, also in groups, that do not stand within a longer run of word characters (ids, keys, hashes). Adyen writes `test_` before them. */
const CARD_NUMBER = /(?:(?<!\w)|(?<=test_))\d(?:[ +]?\d){11,18}(?!\w)/g
const SECURITY_CODE =
  /((?:cvc|cvv|cvn|cvc2|cvv2|securityCode|security_code|cryptogram)(?:%5D|\])?"?\s*[=:]\s*"?)[^"&,}\s]+/gi

export function scrub(text: string): string {
  return text.replace(SECURITY_CODE, "$1***").replace(CARD_NUMBER, (number) => {
    const digits = number.replace(/\D/g, "")
    return digits.slice(0, 6) + "*".repeat(digits.length - 10) + digits.slice(-4)
  })
}
