// The customer's address as providers take it. Ours may be anything that looks a little like one; a provider that checks
// the field would refuse the whole payment for it, and the payment is worth more than the field.

/** Four decimal bytes, without leading zeros. */
export const isIpv4 = (text: string): boolean => IPV4.test(text)
const BYTE = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
const IPV4 = new RegExp(`^${BYTE}(?:\\.${BYTE}){3}$`)

/** Eight groups of hexadecimal digits, one row of which may be left out; without the forms that end in an IPv4 address. */
export function isIpv6(text: string): boolean {
  const halves = text.split("::")
  if (halves.length > 2 || !/^[\da-f:]+$/i.test(text)) return false
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")))
  return (
    groups.every((group) => /^[\da-f]{1,4}$/i.test(group)) &&
    (halves.length === 2 ? groups.length < 8 : groups.length === 8)
  )
}
