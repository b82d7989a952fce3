// What is known of policies by evidence: the entry for engine and API. Backtests against stored decisions, experiments and staged
// publishing with always-valid intervals, shadows (docs/evidence.md).

export { armOf, unitDie } from "./evidence/assignment.ts"
export {
  backtest,
  type BacktestProgress,
  type BacktestReport,
  certainly,
  type DraftDecision,
  type StoredDecision,
} from "./evidence/backtest.ts"
export {
  type DecisionEvidence,
  type Metric,
  metrics,
  NO_ATTEMPT,
  type Propensities,
} from "./evidence/decision-evidence.ts"
export { checkExperiment } from "./evidence/experiment-check.ts"
export {
  automaticStop,
  evolve as evolveExperiment,
  type Experiment,
  type ExperimentEvent,
  type ExperimentState,
  MAX_ARMS,
  planned,
  resultsOf,
  type Comparison,
  type StopReason,
} from "./evidence/experiment.ts"
export { type Guardrail, type WatchedMetric, watchedMetrics } from "./evidence/guardrail.ts"
export { createOffPolicy, type MetricEstimate, type OffPolicyReport, whyNot } from "./evidence/off-policy.ts"
export {
  createShadowTally,
  type Divergence,
  MAX_DIVERGENCES,
  mergedShadow,
  nothingShadowed,
  type ShadowedDecision,
  type ShadowReport,
  shadowReport,
  type ShadowTally,
} from "./evidence/shadow.ts"
export { FALSE_STOPS, stagedPublish, usualGuardrails } from "./evidence/staged-publish.ts"
