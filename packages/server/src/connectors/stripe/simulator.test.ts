import { secret } from "../../core/secret.ts"
import { connectorScenarios } from "../contract-scenario.ts"
import { stripe } from "./index.ts"

connectorScenarios(stripe, {
  persona: "stripe",
  config: ({ secretKey }) => ({
    mode: "test",
    credentials: { secret_key: secret(secretKey!) },
    settings: { partial_authorizations: "enabled" },
  }),
  // https://docs.stripe.com/testing#regulatory-cards: must be authenticated for every payment.
  challengedCard: "4000002760003184",
  truthInProviderUnits: true,
  webhookSecret: ({ webhookSecret }) => webhookSecret!,
})
