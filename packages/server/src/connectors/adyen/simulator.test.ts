import { secret } from "../../core/secret.ts"
import { connectorScenarios } from "../contract-scenario.ts"
import { adyen } from "./index.ts"

connectorScenarios(adyen, {
  persona: "adyen",
  config: ({ apiKey, merchantAccount }) => ({
    mode: "test",
    credentials: { api_key: secret(apiKey!) },
    settings: { merchant_account: merchantAccount! },
  }),
  webhookSecret: ({ hmacKey }) => hmacKey!,
})
