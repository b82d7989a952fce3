import assert from "node:assert/strict"
import type { LookupAddress } from "node:dns"
import { test } from "node:test"
import fc from "fast-check"
import { checkUrl, guardedLookup, isAllowed, LIVE_RULES, TEST_RULES, type GuardRules } from "./address-guard.ts"

const refusedEverywhere: readonly (readonly [what: string, address: string])[] = [
  ["the metadata service", "169.254.169.254"],
  ["link-local IPv4", "169.254.0.1"],
  ["link-local IPv6", "fe80::1"],
  ["AWS's metadata service on IPv6", "fd00:ec2::254"],
  ["Azure's metadata service, public by its number", "168.63.129.16"],
  ["Alibaba's metadata service", "100.100.100.200"],
  ["Oracle's metadata service", "192.0.0.192"],
  ["this network", "0.0.0.0"],
  ["no address", "::"],
  ["broadcast", "255.255.255.255"],
  ["multicast IPv4", "224.0.0.1"],
  ["multicast IPv6", "ff02::1"],
  ["carrier-grade NAT", "100.64.0.1"],
  ["benchmarking", "198.18.0.1"],
  ["documentation IPv4", "192.0.2.1"],
  ["documentation IPv6", "2001:db8::1"],
  ["reserved", "240.0.0.1"],
  ["6to4 relay", "192.88.99.1"],
  ["loopback mapped into IPv6", "::ffff:127.0.0.1"],
  ["a public address mapped into IPv6", "::ffff:8.8.8.8"],
  ["loopback in the old compatible form", "::127.0.0.1"],
  ["NAT64 of a private address", "64:ff9b::10.0.0.1"],
  ["local NAT64", "64:ff9b:1::a00:1"],
  ["6to4 of a private address", "2002:a00:1::1"],
  ["Teredo", "2001::1"],
  ["site-local", "fec0::1"],
  ["unassigned IPv6", "4000::1"],
  ["the discard prefix", "100::1"],
  ["no address at all", "localhost"],
  ["nothing", ""],
]
for (const [what, address] of refusedEverywhere)
  test(`${what} (${address || "empty"}) is refused in both modes`, () => {
    assert.equal(isAllowed(address, LIVE_RULES), false)
    assert.equal(isAllowed(address, TEST_RULES), false)
  })

for (const address of [
  "127.0.0.1",
  "127.8.9.1",
  "::1",
  "10.1.2.3",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "fd12::1",
])
  test(`${address} is refused in live mode and allowed in test mode`, () => {
    assert.equal(isAllowed(address, LIVE_RULES), false)
    assert.equal(isAllowed(address, TEST_RULES), true)
  })

for (const address of ["8.8.8.8", "172.15.255.255", "172.32.0.1", "2606:4700::1111", "2a00:1450::1"])
  test(`${address} is public and allowed`, () => {
    assert.equal(isAllowed(address, LIVE_RULES), true)
  })

test("no IPv4 address inside the private blocks passes the live rules", () => {
  const blocks = [
    [0x0a000000, 8],
    [0x7f000000, 8],
    [0x64400000, 10],
    [0xa9fe0000, 16],
    [0xac100000, 12],
    [0xc0a80000, 16],
    [0xe0000000, 4],
    [0xf0000000, 4],
    [0x00000000, 8],
  ] as const
  fc.assert(
    fc.property(fc.constantFrom(...blocks), fc.nat(2 ** 32 - 1), ([base, bits], random) => {
      const host = Number(BigInt(random) & ((1n << BigInt(32 - bits)) - 1n))
      const address = base + host
      const text = [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".")
      assert.equal(isAllowed(text, LIVE_RULES), false, text)
      assert.equal(isAllowed(`::ffff:${text}`, LIVE_RULES), false, text)
    }),
  )
})

const refusalOf = (url: string, rules: GuardRules): string | undefined => {
  const checked = checkUrl(url, rules)
  return "refused" in checked ? checked.refused : undefined
}

const urls: readonly (readonly [url: string, live: string | undefined, test: string | undefined])[] = [
  ["https://hooks.example.com/orchestra?x=1", undefined, undefined],
  ["https://hooks.example.com:8443/", undefined, undefined],
  ["http://hooks.example.com/", "scheme", undefined],
  ["ftp://hooks.example.com/", "scheme", "scheme"],
  ["file:///etc/passwd", "scheme", "scheme"],
  ["javascript:alert(1)", "scheme", "scheme"],
  ["hooks.example.com/x", "not_a_url", "not_a_url"],
  ["", "not_a_url", "not_a_url"],
  ["https://user:password@hooks.example.com/", "credentials", "credentials"],
  ["https://user@hooks.example.com/", "credentials", "credentials"],
  ["https://hooks.example.com:22/", "port", "port"],
  ["https://hooks.example.com:80/", "port", undefined],
  ["https://127.0.0.1:9000/", "address", undefined],
  ["https://127.1/", "address", undefined],
  ["https://2130706433/", "address", undefined],
  ["https://0x7f000001/", "address", undefined],
  ["https://0177.0.0.1/", "address", undefined],
  ["https://[::1]/", "address", undefined],
  ["https://[::ffff:127.0.0.1]/", "address", "address"],
  ["https://[::ffff:7f00:1]/", "address", "address"],
  ["https://169.254.169.254/latest/meta-data", "address", "address"],
  ["https://[fe80::1]/", "address", "address"],
  ["https://8.8.8.8/", undefined, undefined],
  [`https://hooks.example.com/${"x".repeat(2_048)}`, "too_long", "too_long"],
]
for (const [url, live, inTest] of urls)
  test(`${url.slice(0, 60) || "an empty text"}: live ${live ?? "allowed"}, test ${inTest ?? "allowed"}`, () => {
    assert.deepEqual([refusalOf(url, LIVE_RULES), refusalOf(url, TEST_RULES)], [live, inTest])
  })

type Looked = { readonly code?: string; readonly addresses: readonly string[] }

const look = (addresses: readonly string[] | Error, all: boolean, family = 0): Promise<Looked> =>
  new Promise((resolve) => {
    const resolver = async (): Promise<readonly string[]> => {
      if (addresses instanceof Error) throw addresses
      return addresses
    }
    guardedLookup(resolver, LIVE_RULES)("hooks.example.com", { all, family }, (error, answer) => {
      const found = Array.isArray(answer) ? answer.map((one: LookupAddress) => one.address) : [answer]
      resolve(error === null ? { addresses: found } : { code: error.code ?? "", addresses: [] })
    })
  })

test("a look-up answers only the addresses that may be called", async () => {
  assert.deepEqual(await look(["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111"], true), {
    addresses: ["8.8.8.8", "2606:4700::1111"],
  })
  assert.deepEqual(await look(["10.0.0.1", "8.8.8.8"], false), { addresses: ["8.8.8.8"] })
  assert.deepEqual(await look(["8.8.8.8", "2606:4700::1111"], true, 6), { addresses: ["2606:4700::1111"] })
})

test("a name with no address that may be called is refused, and one that is not known is not found", async () => {
  assert.deepEqual(await look(["10.0.0.1", "127.0.0.1"], true), { code: "ADDRESS_REFUSED", addresses: [] })
  assert.deepEqual(await look(["8.8.8.8"], false, 6), { code: "ENOTFOUND", addresses: [] })
  const unknown = Object.assign(new Error("no such host"), { code: "ENOTFOUND" })
  assert.deepEqual(await look(unknown, true), { code: "ENOTFOUND", addresses: [] })
})

test("of a name with very many addresses only the first are considered", async () => {
  const many = [...Array.from({ length: 16 }, () => "10.0.0.1"), "8.8.8.8"]
  assert.deepEqual(await look(many, true), { code: "ADDRESS_REFUSED", addresses: [] })
})
