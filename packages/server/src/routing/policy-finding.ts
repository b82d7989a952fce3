// What can be wrong with a policy, or worth knowing of it. Errors are what cannot be meant: a document that has any is not stored.

export const findings = {
  unknown_account: "error",
  repeated_account: "error",
  repeated_name: "error",
  never_true: "error",
  unreachable: "error",
  no_account: "error",
  zero_shares: "error",
  commitment_conflict: "error",
  always_true: "warning",
  overlap: "warning",
  no_default: "warning",
  amount_without_currency: "warning",
  account_not_enabled: "warning",
  no_enabled_account: "warning",
  never_eligible: "warning",
  commitment_without_rule: "warning",
  commitment_without_effect: "warning",
  shares_leave_a_rest: "warning",
  never_without_rule: "warning",
  three_ds_without_effect: "warning",
  retry_without_effect: "warning",
  no_cap: "warning",
  not_checked: "warning",
} as const satisfies Readonly<Record<string, "error" | "warning">>
export type FindingCode = keyof typeof findings

export type Finding = {
  readonly severity: "error" | "warning"
  readonly code: FindingCode
  /** Where it is about a rule. */
  readonly rule?: { readonly index: number; readonly name: string }
  /** JSON pointer below the document, with conditions as trees, e.g. `/rules/0/when/all/1`. */
  readonly at: string
  readonly detail: string
}

export const finding = (code: FindingCode, at: string, detail: string): Finding => ({
  severity: findings[code],
  code,
  at,
  detail,
})
