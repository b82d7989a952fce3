// Why an address that a merchant gave us is not called, in words.

import type { GuardRefusal } from "../engine/address-guard.ts"

export const refusals: Readonly<Record<GuardRefusal, string>> = {
  not_a_url: "is not an absolute URL",
  scheme: "must begin with https:// (http:// only in test mode)",
  credentials: "must not contain a user or password",
  port: "has a port that is not called: 443, or one from 1024 up (80 too in test mode)",
  address: "is an address that is not called from here",
  too_long: "is too long",
}
