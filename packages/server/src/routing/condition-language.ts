// The language of conditions, as other rooms meet it: text, JSON and tree, and the table of fields.

export { type Condition, everything, type Operator, operators } from "./conditions/condition.ts"
export { type FieldSpec, fields } from "./conditions/fields.ts"
export { type ConditionProblem, type ConditionReading, readCondition } from "./conditions/json.ts"
export { type LiveReading, liveAccountsOf } from "./conditions/live.ts"
export { parseCondition, placeInText, printCondition } from "./conditions/text.ts"
