// Card numbers that stand where none belongs: in a provider's message, in a note, in the address of a request. They are
// told by their length, their first digit and their check digit, however people and forms group them.

/**
 * Free text (a provider's message, a code) in which a provider may have echoed a card number: every number of 13 to 19
 * digits with a right check digit and a first digit that networks use keeps its first six and last four digits, which is
 * the most that PCI DSS 3.4 lets people see. Digits may be grouped with spaces and dashes, and other digits may stand
 * before and behind them (an expiry date). Not meant for references: some providers' ids are nothing but digits, and
 * one in ten would be taken for a card number. Total; masking twice is masking once.
 */
export function maskPans(text: string): string {
  return text.replace(spacedRuns, (run) =>
    maskGroups(run, spacedGroups, (digits) => digits.slice(0, 6) + "*".repeat(digits.length - 10) + digits.slice(-4)),
  )
}
const spacedRuns = /(?<!\d)\d(?:[ \t\u00a0\u2007\u2009\u202f\u2010-\u2015-]{0,3}\d){12,}/g
const spacedGroups = /\d+[^\d]*/g

/**
 * A run of digits with its card numbers masked. A number is one group or several that follow each other; of several
 * readings the first and then the longest counts. A group is never cut: what stands in the middle of a longer row of
 * digits is a part of some other number.
 */
export function maskGroups(run: string, group: RegExp, mask: (digits: string) => string): string {
  const parts = run.match(group) ?? []
  const digitsOf = parts.map((part) => /^\d+/.exec(part)![0])
  let masked = ""
  for (let first = 0; first < parts.length;) {
    const last = lastOfNumber(digitsOf, first)
    if (last === undefined) {
      masked += parts[first]!
      first += 1
      continue
    }
    masked += mask(digitsOf.slice(first, last + 1).join("")) + parts[last]!.slice(digitsOf[last]!.length)
    first = last + 1
  }
  return masked
}

/** The last group of the longest card number that begins with this group. */
function lastOfNumber(groupsOfDigits: readonly string[], first: number): number | undefined {
  let digits = ""
  let found: number | undefined
  for (let last = first; last < groupsOfDigits.length && digits.length <= maxPanDigits; last++) {
    digits += groupsOfDigits[last]!
    if (isCardNumber(digits)) found = last
  }
  return found
}
const maxPanDigits = 19

/** 13 to 19 digits with a right check digit, and a first digit that networks use (milliseconds start with 1). */
export function isCardNumber(digits: string): boolean {
  if (!/^[2-9]\d{12,18}$/.test(digits)) return false
  let sum = 0
  for (let place = 0; place < digits.length; place++) {
    const digit = Number(digits[digits.length - 1 - place])
    const doubled = place % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}
