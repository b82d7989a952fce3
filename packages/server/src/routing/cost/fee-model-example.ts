// Fee models as they are stored on accounts, one of each kind: for documentation, and read by the tests. The numbers are
// invented; none is any provider's price.

export const feeModelExamples: Readonly<Record<string, unknown>> = {
  /** One price by kind of card, as small merchants have it. */
  blended: {
    currency: "EUR",
    country: "DE",
    pricing: {
      kind: "blended",
      rates: [
        { when: { crossings: ["inter"] }, percent: "3.25", fixed: "0.25" },
        { when: { products: ["commercial"] }, percent: "2.9", fixed: "0.25" },
        { percent: "1.5", fixed: "0.25" },
      ],
    },
    conversion: { percent: "2" },
    chargeback: { fixed: "20" },
  },
  /** What issuer and scheme take, and a markup that falls with the month's volume. */
  interchange_plus: {
    currency: "EUR",
    country: "NL",
    pricing: {
      kind: "interchange_plus",
      markup: {
        applies: "part",
        tiers: [
          { from: "0", percent: "0.6", fixed: "0.1" },
          { from: "250000", percent: "0.4", fixed: "0.1" },
          { from: "1000000", percent: "0.25", fixed: "0.1" },
        ],
      },
      scheme_fees: "estimated",
    },
    fees: [
      { name: "authorization", on: ["payment", "decline"], fixed: "0.015" },
      { name: "3-D Secure", on: ["payment", "decline"], when: { three_ds: true }, fixed: "0.03" },
      { name: "cross-border", on: ["payment"], when: { crossings: ["intra", "inter"] }, percent: "0.2" },
    ],
    conversion: { percent: "1" },
    refund: { fixed: "0.1" },
    chargeback: { fixed: "15" },
  },
  /** Tiers over the whole payment, with minimums and a maximum. */
  tiered: {
    currency: "USD",
    country: "US",
    pricing: {
      kind: "blended",
      rates: [
        {
          applies: "payment",
          tiers: [
            { from: "0", percent: "2.9", fixed: "0.3" },
            { from: "80000", percent: "2.6", fixed: "0.2", most: "40" },
          ],
        },
      ],
    },
    fees: [{ name: "American Express", on: ["payment"], when: { networks: ["amex"] }, percent: "0.4" }],
    refund: { percent: "0.5", least: "0.1", most: "5" },
    chargeback: { fixed: "25" },
    least_per_payment: "0.35",
    monthly: { fixed: "10", minimum: "25" },
  },
}
