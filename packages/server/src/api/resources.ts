// All resources below /v1, and their schemas that have names of their own in the document.

import type { TSchema } from "typebox"
import * as feesSchema from "./account-fees-schema.ts"
import { accountFees } from "./account-fees.ts"
import * as accountSchema from "./account-schema.ts"
import { accounts } from "./accounts.ts"
import * as apiKeyRoutes from "./api-keys.ts"
import * as backtestSchema from "./backtest-schema.ts"
import { backtests } from "./backtests.ts"
import * as connectorRoutes from "./connectors.ts"
import * as customerRoutes from "./customers.ts"
import * as eventSchema from "./event-resource.ts"
import { events } from "./events.ts"
import * as inboundRoutes from "./inbound-webhooks.ts"
import * as historyRoutes from "./payment-history.ts"
import { paymentList } from "./payment-list.ts"
import * as questionRoutes from "./metrics-query.ts"
import * as methodRoutes from "./payment-methods.ts"
import { CardInput, PaymentMethodInput } from "./method-schema.ts"
import * as paymentSchema from "./payment-schema.ts"
import * as operationRoutes from "./operations.ts"
import { payments } from "./payments.ts"
import { policies } from "./policies.ts"
import * as policyLanguageRoutes from "./policy-language.ts"
import { policyPublication } from "./policy-publication.ts"
import * as experimentSchema from "./experiment-schema.ts"
import { experiments } from "./experiments.ts"
import * as publicationSchema from "./publication-schema.ts"
import * as shadowSchema from "./shadow-schema.ts"
import { shadows } from "./shadows.ts"
import * as policySchema from "./policy-schema.ts"
import { retryBudget } from "./retry-budget.ts"
import * as retrySchema from "./retry-resource.ts"
import type { Routes } from "./routes.ts"
import * as schema from "./schema.ts"
import * as decisionSchema from "./decision-resource.ts"
import * as explainRoutes from "./explain.ts"
import * as routingRoutes from "./routing.ts"
import * as endpointSchema from "./webhook-endpoint-schema.ts"
import { webhookEndpoints } from "./webhook-endpoints.ts"

export const resources: readonly Routes[] = [
  payments,
  paymentList,
  operationRoutes.operations,
  historyRoutes.paymentHistory,
  retryBudget,
  customerRoutes.customers,
  methodRoutes.paymentMethods,
  accounts,
  accountFees,
  connectorRoutes.connectors,
  policies,
  routingRoutes.routing,
  explainRoutes.explain,
  policyPublication,
  shadows,
  experiments,
  policyLanguageRoutes.policyLanguage,
  backtests,
  questionRoutes.metricsQuery,
  webhookEndpoints,
  events,
  inboundRoutes.inboundWebhookList,
  apiKeyRoutes.apiKeys,
]

const files: readonly object[] = [
  schema,
  paymentSchema,
  historyRoutes,
  retrySchema,
  operationRoutes,
  customerRoutes,
  methodRoutes,
  accountSchema,
  feesSchema,
  connectorRoutes,
  policySchema,
  publicationSchema,
  shadowSchema,
  experimentSchema,
  routingRoutes,
  explainRoutes,
  decisionSchema,
  policyLanguageRoutes.named,
  backtestSchema,
  questionRoutes,
  endpointSchema,
  eventSchema,
  inboundRoutes,
  apiKeyRoutes,
]

/** Parts that many schemas contain. They have no `$id` where they stand, or the validator would see it twice. */
const parts: Readonly<Record<string, TSchema>> = {
  Address: schema.Address,
  Currency: schema.Currency,
  Metadata: schema.Metadata,
  Network: schema.NetworkName,
  Party: schema.Party,
  Attempt: paymentSchema.AttemptResource,
  Operation: paymentSchema.OperationResource,
  Outcome: paymentSchema.OutcomeResource,
  Card: CardInput,
  PaymentMethodInput,
  FeeCharge: feesSchema.FeeCharge,
  FeeCondition: feesSchema.FeeCondition,
  FeeModel: feesSchema.FeeModelSchema,
  Condition: policySchema.ConditionPart,
  PolicyRule: policySchema.RuleSchema,
  PolicyStrategy: policySchema.StrategySchema,
  Publication: publicationSchema.PublicationResource,
  RetryPlan: policySchema.RetryPlanPart,
}

export const namedSchemas: readonly object[] = [
  ...files
    .flatMap((file): unknown[] => Object.values(file))
    .filter((value): value is object => typeof value === "object" && value !== null && "$id" in value),
  ...Object.entries(parts).map(([name, part]) => ({ ...part, $id: name })),
]

/** In the order in which the reference shows them. */
export const sections: readonly { readonly name: string; readonly description: string }[] = [
  {
    name: "Payments",
    description: "What the merchant wants to be paid, every try at every provider, and why it went where.",
  },
  { name: "Customers", description: "Whom payments and stored payment methods belong to." },
  { name: "Payment methods", description: "Cards that customers agreed to have stored." },
  { name: "Accounts", description: "Your credentials at providers." },
  { name: "Connectors", description: "The providers that can be connected." },
  { name: "Policies", description: "Which account is tried for which payment." },
  { name: "Experiments", description: "Versions of a policy against each other, on live payments." },
  { name: "Routing", description: "What was learned of accounts, and what would be decided now." },
  { name: "Metrics", description: "Every number once, by whatever you group, filter and compare." },
  { name: "Webhook endpoints", description: "Where you hear of events." },
  { name: "Events", description: "Everything that happened, as your endpoints are told." },
  { name: "Inbound webhooks", description: "What providers told us." },
  { name: "API keys", description: "Who may call." },
]
