// The simulator as a package: started in-process with real sockets, or its pure parts for deterministic simulation.
export { startSimulator } from "./simulator.ts"
export type { NewAccount, ReadyAccount, Simulator, SimulatorOptions } from "./simulator.ts"

export { seededRandom } from "./chance.ts"
export { createIssuer, DECLINE_MIX, GENEROUS } from "./issuer.ts"
export type { DeclineShare, IssuerProfile, IssuerRule } from "./issuer.ts"
export { binOf, passesLuhn, testBins } from "./bins.ts"
export type { Bin, Network } from "./bins.ts"
export { factsOf } from "./operation.ts"
export { PERSONAS } from "./personas.ts"
export { CLEAR, forecast, forecastWebhook, issuerProfile } from "./weather.ts"
export type { DeliveryPlan, Fault, Plan, Weather, WebhookFault } from "./weather.ts"
export { readWeather } from "./weather-document.ts"
export type {
  Challenge,
  CreatePersona,
  Issuer,
  IssuerAnswer,
  IssuerRequest,
  ByHand,
  Misfortune,
  Persona,
  PersonaAccount,
  PersonaKind,
  PersonaPorts,
  PersonaWebhook,
  TrueCharge,
  WireRequest,
  WireResponse,
} from "./persona.ts"
