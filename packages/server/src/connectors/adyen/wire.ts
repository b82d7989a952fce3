// What we write to Adyen and what we read from it, and nothing else. Readers take any value: an answer that is cut,
// empty or of another shape is read as an answer that says nothing.

import type { Checks } from "../../core/check.ts"
import { noChecks } from "../../core/check.ts"
import type { Action, Evidence } from "../../core/outcome.ts"
import { lookup } from "../connector.ts"
import { at, browserUrlAt, integerAt, isObject, type Path, referenceAt, textAt, wordAt } from "../json.ts"
import { avsChecks, cvcChecks, fundingSources } from "./tables.ts"

export type Amount = { readonly value: number; readonly currency: string }
export type Address = {
  readonly street: string
  readonly houseNumberOrName: string
  readonly city: string
  readonly postalCode: string
  readonly country: string
  readonly stateOrProvince?: string | undefined
}
export type PaymentMethod = {
  readonly type: "scheme" | "networkToken"
  readonly number?: string
  readonly expiryMonth?: string
  readonly expiryYear?: string
  readonly cvc?: string | undefined
  readonly holderName?: string | undefined
  readonly brand?: string | undefined
  readonly storedPaymentMethodId?: string
}
export type PaymentRequest = {
  readonly merchantAccount: string
  readonly amount: Amount
  readonly reference: string
  readonly merchantOrderReference?: string | undefined
  readonly metadata: Readonly<Record<string, string>>
  readonly paymentMethod: PaymentMethod
  readonly returnUrl: string
  readonly channel?: "Web" | undefined
  readonly origin?: string | undefined
  readonly redirectFromIssuerMethod?: "GET" | undefined
  readonly shopperInteraction: "Ecommerce" | "ContAuth"
  readonly recurringProcessingModel?: "CardOnFile" | "Subscription" | "UnscheduledCardOnFile" | undefined
  readonly storePaymentMethod?: true | undefined
  readonly shopperReference?: string | undefined
  readonly shopperEmail?: string | undefined
  readonly shopperName?: { readonly firstName: string; readonly lastName: string } | undefined
  readonly shopperIP?: string | undefined
  readonly telephoneNumber?: string | undefined
  readonly shopperStatement?: string | undefined
  readonly billingAddress?: Address | undefined
  readonly deliveryAddress?: Address | undefined
  readonly captureDelayHours?: 0 | undefined
  readonly additionalData?: Readonly<Record<string, string | undefined>> | undefined
  readonly authenticationData?:
    | {
        readonly attemptAuthentication?: "always" | "never" | undefined
        readonly threeDSRequestData?: { readonly nativeThreeDS: "disabled" } | undefined
      }
    | undefined
  readonly mpiData?: Readonly<Record<string, string | undefined>> | undefined
}

/** The fields that were told; absent ones are left out, as `exactOptionalPropertyTypes` wants it. */
export function told<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}

export type ServiceError = {
  readonly code: string
  readonly type?: string
  readonly message?: string
  readonly reference?: string
}

/** Adyen's error envelope, or undefined when the body is not one. Codes come with and without their leading zeros. */
export function readServiceError(body: unknown): ServiceError | undefined {
  const code = wordAt(body, "errorCode")
  if (code === undefined) return undefined
  return told<ServiceError>({
    code: /^\d{1,2}$/.test(code) ? code.padStart(3, "0") : code,
    type: textAt(body, "errorType"),
    message: textAt(body, "message") ?? textAt(body, "detail"),
    reference: referenceAt(body, "pspReference"),
  })
}

/** A whole count that stands as a number (`amount.value`) or as text (`authorisedAmountValue`). */
export function countAt(body: unknown, ...path: Path): bigint | undefined {
  const found = at(body, ...path)
  return typeof found === "string" && /^\d{1,18}$/.test(found) ? BigInt(found) : integerAt(body, ...path)
}

const isTrue = (value: string | undefined): boolean | undefined =>
  value === "true" ? true : value === "false" ? false : undefined

/** What an answer tells beside its verdict. `additionalData` holds only what the merchant switched on in his account. */
export function readEvidence(body: unknown): Evidence {
  const said = (name: string): string | undefined => textAt(body, "additionalData", name)
  const token = said("tokenization.storedPaymentMethodId") ?? said("recurring.recurringDetailReference")
  const funding = said("fundingSource")
  const threeDs = told<NonNullable<Evidence["threeDs"]>>({
    status: said("threeDAuthenticatedResponse"),
    eci: said("eci"),
    version: said("threeDSVersion"),
    liabilityShifted: isTrue(said("liabilityShift")),
  })
  const card = told<NonNullable<Evidence["card"]>>({
    country: said("cardIssuingCountry") ?? said("issuerCountry"),
    issuer: said("cardIssuingBank"),
    funding: funding === undefined ? undefined : lookup(fundingSources, funding),
  })
  return told<Evidence>({
    reference: referenceAt(body, "pspReference"),
    authorizationCode: said("authCode"),
    networkTransactionId: said("networkTxReference"),
    checks: readChecks(body),
    providerToken:
      token === undefined
        ? undefined
        : told<NonNullable<Evidence["providerToken"]>>({
            token,
            customer: said("tokenization.shopperReference") ?? said("recurring.shopperReference"),
          }),
    threeDs: isEmpty(threeDs) ? undefined : threeDs,
    card: isEmpty(card) ? undefined : card,
  })
}

const isEmpty = (value: object): boolean => Object.keys(value).length === 0

function readChecks(body: unknown): Checks | undefined {
  const avs = textAt(body, "additionalData", "avsResult")
  const cvc = textAt(body, "additionalData", "cvcResult")
  if (avs === undefined && cvc === undefined) return undefined
  return told<Checks>({
    ...noChecks,
    ...lookup(avsChecks, numberOf(avs)),
    code: lookup(cvcChecks, numberOf(cvc)) ?? noChecks.code,
    rawAvs: textAt(body, "additionalData", "avsResultRaw") ?? avs,
    rawCode: textAt(body, "additionalData", "cvcResultRaw") ?? cvc,
  })
}

/** "2" of "2 Neither postal code nor address match". */
const numberOf = (result: string | undefined): string => /^\d{1,2}(?=$|\s)/.exec(result ?? "")?.[0] ?? ""

/** The redirect that an answer asks for, or undefined: what a browser cannot follow is no action. */
export function readRedirect(body: unknown): Action | undefined {
  const action = at(body, "action")
  const url = browserUrlAt(action, "url")
  const method = textAt(action, "method") ?? "GET"
  if (textAt(action, "type") !== "redirect" || url === undefined) return undefined
  if (method !== "GET" && method !== "POST") return undefined
  const data = at(action, "data")
  const fields = isObject(data)
    ? Object.fromEntries(
        Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
      )
    : {}
  return told<Action>({ type: "redirect", method, url, fields: method === "POST" ? fields : undefined })
}

/** "05" of "05 : Do not honor": the code as network or issuer gave it. Acquirers without codes send only words. */
export function readNetworkResponse(raw: string | undefined): string | undefined {
  return /^(?:DECLINED : )?(?=[A-Z]?\d)([0-9A-Z]{2,3})(?= :|$)/.exec(raw ?? "")?.[1]
}

/** "01" of "01 : New account information available". */
export const readAdvice = (raw: string | undefined): string | undefined => /^\d{2}(?!\d)/.exec(raw ?? "")?.[0]
