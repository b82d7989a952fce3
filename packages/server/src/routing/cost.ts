// The cost of payments by account: the entry for engine, API and gym. A fee model is what the contract says (read from JSON
// with all its problems); `estimate` is what one payment, decline, refund or chargeback costs by it.
// `expectedFee` is both endings of a payment as shares of its amount, which is what a score subtracts.

export { type ExpectedFee, expectedFee, type FeePayment, feeShare, unknownFees } from "./cost/expected-fee.ts"
export { converted, noRates, parseRate, type Rates } from "./cost/exchange.ts"
export { type CostEstimate, type CostPart, estimate, type ObservedCost } from "./cost/estimate.ts"
export type { PaymentFacts } from "./cost/asked-facts.ts"
export {
  credentials,
  feeEvents,
  type FeeModel,
  MAX_FEE_NAME,
  MAX_FEES,
  MAX_RATES,
  MAX_TIERS,
  products,
} from "./cost/fee-model.ts"
export { costCertainties } from "./cost/interchange.ts"
export { feeModelExamples } from "./cost/fee-model-example.ts"
export { type FeeModelReading, readFeeModel } from "./cost/fee-model-json.ts"
export { feeModelToJson } from "./cost/fee-model-text.ts"
export { type MonthlyCost, monthlyCost } from "./cost/monthly.ts"
