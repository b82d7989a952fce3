// Where a webhook may go, and the calls of a test account with a `base_url`. A merchant names the address, and our server
// calls it from inside the operator's network: without a guard that is a way to every machine that trusts this network,
// and to the cloud's metadata service (SSRF).
//
// The address that is checked is the address that is connected to: the check is the connection's own name look-up, so a
// name that answers differently the second time gains nothing. Only what is known to be public is let through. Redirects
// are not followed by whoever posts.
//
// Live mode: https, public addresses. Test mode also: http, the machine itself and private networks, since developers
// receive there, and a simulator runs there. Link-local addresses, with the metadata service, never. Whoever may write
// configuration in test mode can therefore reach the operator's private network: test mode is not for strangers.

import type { LookupAddress, LookupOptions } from "node:dns"
import type { LookupFunction } from "node:net"
import ipaddr from "ipaddr.js"

export type GuardRules = {
  readonly schemes: ReadonlySet<"https:" | "http:">
  readonly ranges: ReadonlySet<string>
  /** Besides those from 1024 up. */
  readonly ports: ReadonlySet<number>
}

export const LIVE_RULES: GuardRules = {
  schemes: new Set(["https:"]),
  ranges: new Set(["unicast"]),
  ports: new Set([443]),
}
export const TEST_RULES: GuardRules = {
  schemes: new Set(["https:", "http:"]),
  ranges: new Set(["unicast", "loopback", "private", "uniqueLocal"]),
  ports: new Set([443, 80]),
}

export type GuardRefusal = "not_a_url" | "scheme" | "credentials" | "port" | "address" | "too_long"

/** A longer URL is not an address but a payload. */
export const MAX_URL_CHARS = 2_048
/** Addresses of one name that are considered. */
export const MAX_ADDRESSES = 16

/** All addresses of a name, by whatever the operator's network resolves names with. Rejects when there are none. */
export type Resolver = (hostname: string) => Promise<readonly string[]>

/** Judges what can be judged without the network: when an endpoint is made, and again before every delivery. */
export function checkUrl(text: string, rules: GuardRules): { readonly url: URL } | { readonly refused: GuardRefusal } {
  if (text.length > MAX_URL_CHARS) return { refused: "too_long" }
  const url = URL.parse(text)
  if (url === null) return { refused: "not_a_url" }
  if (!(rules.schemes as ReadonlySet<string>).has(url.protocol)) return { refused: "scheme" }
  if (url.username !== "" || url.password !== "") return { refused: "credentials" }
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80))
  if (port < 1024 && !rules.ports.has(port)) return { refused: "port" }
  // The parser has made 0x7f.1 and 2130706433 into 127.0.0.1 by now. A literal is never looked up, so it is judged here.
  const literal = url.hostname.replace(/^\[|\]$/g, "")
  if (ipaddr.isValid(literal) && !isAllowed(literal, rules)) return { refused: "address" }
  return { url }
}

/** Whether a numeric address may be connected to. */
export function isAllowed(address: string, rules: GuardRules): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.parse(address)
  const range = parsed.range()
  if (!rules.ranges.has(range) || metadata.has(parsed.toString())) return false
  // Global unicast is 2000::/3; the library calls unassigned space unicast too.
  return parsed.kind() === "ipv4" || range !== "unicast" || inGlobalUnicast(parsed as ipaddr.IPv6)
}

// Metadata services outside link-local space: Azure's (public by its number), AWS's on IPv6 and Alibaba's.
// https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
const metadata: ReadonlySet<string> = new Set(["168.63.129.16", "fd00:ec2::254", "100.100.100.200"])

const inGlobalUnicast = (address: ipaddr.IPv6): boolean => ((address.parts[0] ?? 0) & 0xe000) === 0x2000

/** A look-up for a socket: answers only addresses that may be connected to, and fails when there are none. */
export function guardedLookup(resolve: Resolver, rules: GuardRules): LookupFunction {
  const answer = async (
    hostname: string,
    options: LookupOptions,
    done: Parameters<LookupFunction>[2],
  ): Promise<void> => {
    const found = await addressesOf(hostname, resolve, rules)
    if ("code" in found) return done(failure(found.code, hostname), "")
    const wanted = found.addresses.filter(({ family }) => !options.family || options.family === family)
    const [first] = wanted
    if (first === undefined) done(failure("ENOTFOUND", hostname), "")
    else if (options.all === true) done(null, wanted)
    else done(null, first.address, first.family)
  }
  return (hostname, options, done) => void answer(hostname, options, done)
}

export const ADDRESS_REFUSED = "ADDRESS_REFUSED"

async function addressesOf(
  hostname: string,
  resolve: Resolver,
  rules: GuardRules,
): Promise<{ readonly addresses: LookupAddress[] } | { readonly code: string }> {
  try {
    const all = await resolve(hostname)
    const addresses = all
      .slice(0, MAX_ADDRESSES)
      .filter((address) => isAllowed(address, rules))
      .map((address) => ({ address, family: address.includes(":") ? 6 : 4 }))
    return addresses.length === 0 ? { code: ADDRESS_REFUSED } : { addresses }
  } catch (error) {
    return { code: (error as NodeJS.ErrnoException).code ?? "ENOTFOUND" }
  }
}

const failure = (code: string, hostname: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code} ${hostname}`), { code })
