// Where customers come back to after a redirect. The address carries a keyed hash of the payment's id, so that nobody can
// probe for payments or complete one that is not theirs.

import type { PaymentId } from "../core/id.ts"
import type { Payment } from "../core/payment.ts"
import type { Vault } from "../vault/vault.ts"

const TAG_CHARS = 32

export const returnTag = (vault: Vault, payment: Pick<Payment, "id" | "merchant">): string =>
  vault.hmac("return", payment.id, payment.merchant).slice(0, TAG_CHARS)

export const returnUrl = (vault: Vault, publicUrl: string, payment: Pick<Payment, "id" | "merchant">): string =>
  `${publicUrl}/r/${payment.merchant}/${payment.id}/${returnTag(vault, payment)}`

export type ReturnPath = { readonly merchant: string; readonly payment: PaymentId; readonly tag: string }
