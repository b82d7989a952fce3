// The cost of payments by account: the entry for engine, API and gym. A fee model is what the contract says (read from JSON
// with all its problems); `estimate` is what one payment, decline, refund or chargeback costs by it.

export { type CostEstimate, type CostPart, estimate, type ObservedCost } from "./cost/estimate.ts"
export type { PaymentFacts } from "./cost/asked-facts.ts"
export type { FeeModel } from "./cost/fee-model.ts"
export { feeModelExamples } from "./cost/fee-model-example.ts"
export { type FeeModelReading, readFeeModel } from "./cost/fee-model-json.ts"
export { feeModelToJson } from "./cost/fee-model-text.ts"
export { type MonthlyCost, monthlyCost } from "./cost/monthly.ts"
