// The providers that official material exists for: their connector, accounts to encode with, and the forms that their own
// ids have, which the contract suite's arbitrary inputs know nothing of.

import { adyen } from "../../packages/server/src/connectors/adyen/index.ts"
import { checkout } from "../../packages/server/src/connectors/checkout/index.ts"
import type { AccountConfig, Connector } from "../../packages/server/src/connectors/connector.ts"
import type { AnyInput } from "../../packages/server/src/connectors/contract-input.ts"
import { stripe } from "../../packages/server/src/connectors/stripe/index.ts"
import { secret } from "../../packages/server/src/core/secret.ts"

export type Provider = {
  readonly id: "stripe" | "adyen" | "checkout"
  readonly connector: Connector
  readonly specification: string
  /** What the connector's paths have before those of the description. */
  readonly basePath: string
  /** Every setting is absent in one of them and set in another. */
  readonly accounts: readonly AccountConfig[]
  /** The input with references and tokens as this provider makes them. */
  readonly dress: (input: AnyInput) => AnyInput
}

const account = (
  credentials: Readonly<Record<string, string>>,
  settings: AccountConfig["settings"],
): AccountConfig => ({
  mode: "test",
  credentials: Object.fromEntries(Object.entries(credentials).map(([name, value]) => [name, secret(value)])),
  settings,
})

const letters = (seed: string, length: number, alphabet: RegExp): string =>
  `${seed.replaceAll(new RegExp(`[^${alphabet.source}]`, "gi"), "")}${"abcdefghijklmnopqrstuvwxyz234567"}`
    .repeat(2)
    .slice(0, length)

type Forms = {
  readonly payment: (seed: string, input: AnyInput) => string
  readonly operation: (seed: string) => string
  readonly token: (seed: string) => string
  readonly customer: (seed: string) => string
}

function dressed(forms: Forms): (input: AnyInput) => AnyInput {
  return (input) => {
    const own = input as AnyInput & { readonly operationReference?: string }
    const reference = own.reference === undefined ? {} : { reference: forms.payment(own.reference, input) }
    const operationReference =
      own.operationReference === undefined ? {} : { operationReference: forms.operation(own.operationReference) }
    if (!("method" in own) || own.method.type !== "provider_token")
      return { ...own, ...reference, ...operationReference }
    const { token, customer } = own.method
    const named = customer === undefined ? {} : { customer: forms.customer(customer) }
    return { ...own, ...reference, method: { ...own.method, token: forms.token(token), ...named } }
  }
}

export const providers: readonly Provider[] = [
  {
    id: "stripe",
    connector: stripe,
    specification: "specs/stripe-2023-09.spec3.json",
    basePath: "",
    accounts: [
      account({ secret_key: "sk_test_abcdefghijkl" }, {}),
      account(
        { secret_key: "rk_live_abcdefghijkl" },
        { mit_exemption: "enabled", partial_authorizations: "enabled", connected_account: "acct_1abcdefgh" },
      ),
    ],
    dress: dressed({
      payment: (seed, { amount }) => `${amount.minor === 0n ? "seti" : "pi"}_${letters(seed, 24, /a-z0-9/)}`,
      operation: (seed) => `re_${letters(seed, 24, /a-z0-9/)}`,
      token: (seed) => `pm_${letters(seed, 24, /a-z0-9/)}`,
      customer: (seed) => `cus_${letters(seed, 14, /a-z0-9/)}`,
    }),
  },
  {
    id: "adyen",
    connector: adyen,
    specification: "specs/adyen-CheckoutService-v72.json",
    basePath: "/v72",
    accounts: [
      account({ api_key: "AQEexampleKeyOfTheSuite0" }, { merchant_account: "ShopECOM" }),
      account(
        { api_key: "AQEexampleKeyOfTheSuite0" },
        { merchant_account: "Shop_POS", live_prefix: "1797a841fbb37ca7-ShopDemo" },
      ),
    ],
    dress: dressed({
      payment: (seed) => letters(seed, 16, /a-z0-9/).toUpperCase(),
      operation: (seed) => letters(seed, 16, /a-z0-9/).toUpperCase(),
      token: (seed) => letters(seed, 16, /a-z0-9/).toUpperCase(),
      customer: (seed) => seed,
    }),
  },
  {
    id: "checkout",
    connector: checkout,
    specification: "specs/checkout-nas-2022-07.json",
    basePath: "",
    accounts: [
      account({ secret_key: "sk_sbox_abcdefghijklmnopqrstuvwxyz2" }, { prefix: "vkuhvk4v" }),
      account(
        { secret_key: "sk_sbox_abcdefghijklmnopqrstuvwxyz2" },
        {
          prefix: "vkuhvk4v",
          processing_channel_id: "pc_q4dbxom5jbgudnjzjpz7j2z6uq",
          authorization_type: "Estimated",
          descriptor_city: "Berlin",
        },
      ),
    ],
    dress: dressed({
      payment: (seed) => `pay_${letters(seed, 26, /a-z2-7/).toLowerCase()}`,
      operation: (seed) => `act_${letters(seed, 26, /a-z2-7/).toLowerCase()}`,
      // A stored card, a token of the browser's, or a customer's default card.
      token: (seed) => `${["src", "tok", "cus"][seed.length % 3]}_${letters(seed, 26, /a-z2-7/).toLowerCase()}`,
      customer: (seed) => `cus_${letters(seed, 26, /a-z2-7/).toLowerCase()}`,
    }),
  },
]
