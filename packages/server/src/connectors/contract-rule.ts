// One sentence of the contract and its check. Rules are values, so that the suite itself can be tested: a connector that
// breaks a rule on purpose must fail exactly there. Test support.

export type Rule = { readonly name: string; readonly check: () => void }
