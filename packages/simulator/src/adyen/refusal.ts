// What an issuer's or a test value's decision is called at Adyen: result code, refusal reason and code, raw text.
// https://docs.adyen.com/development-resources/refusal-reasons; the raw texts are those of ISO 8583.

export type ResultCode = "Authorised" | "PartiallyAuthorised" | "Refused" | "Error" | "Cancelled" | "Received"

export type Refusal = { readonly code: string; readonly reason: string; readonly resultCode: ResultCode }

/** refusalReasonCode → refusalReason. */
const REASONS: Readonly<Record<string, string>> = {
  "0": "Unknown",
  "2": "Refused",
  "3": "Referral",
  "4": "Acquirer Error",
  "5": "Blocked Card",
  "6": "Expired Card",
  "7": "Invalid Amount",
  "8": "Invalid Card Number",
  "9": "Issuer Unavailable",
  "10": "Not supported",
  "11": "3D Not Authenticated",
  "12": "Not enough balance",
  "14": "Acquirer Fraud",
  "15": "Cancelled",
  "16": "Shopper Cancelled",
  "17": "Invalid Pin",
  "18": "Pin tries exceeded",
  "19": "Pin validation not possible",
  "20": "FRAUD",
  "21": "Not Submitted",
  "22": "FRAUD-CANCELLED",
  "23": "Transaction Not Permitted",
  "24": "CVC Declined",
  "25": "Restricted Card",
  "26": "Revocation Of Auth",
  "27": "Declined Non Generic",
  "28": "Withdrawal amount exceeded",
  "29": "Withdrawal count exceeded",
  "31": "Issuer Suspected Fraud",
  "32": "AVS Declined",
  "33": "Card requires online pin",
  "34": "No checking account available on Card",
  "35": "No savings account available on Card",
  "36": "Mobile PIN required",
  "37": "Contactless fallback",
  "38": "Authentication required",
  "39": "RReq not received from DS",
  "40": "Current AID is in Penalty Box.",
  "41": "CVM Required Restart Payment",
  "42": "3DS Authentication Error",
  "43": "Online PIN required",
  "44": "Try another interface",
  "45": "Chip downgrade mode",
  "46": "Transaction blocked by Adyen to prevent excessive retry fees",
}

/** Refusals whose result code is another one than "Refused". */
const OTHER_RESULT_CODES: Readonly<Record<string, ResultCode>> = { "0": "Error", "4": "Error", "22": "Cancelled" }

/** ISO 8583 response code → refusalReasonCode. Codes that are not listed are a plain "Refused". */
const BY_RESPONSE_CODE: Readonly<Record<string, string>> = {
  "01": "3",
  "04": "5",
  "07": "5",
  "12": "23",
  "13": "7",
  "14": "8",
  "15": "8",
  "1A": "38",
  "41": "5",
  "43": "5",
  "51": "12",
  "52": "34",
  "53": "35",
  "54": "6",
  "55": "17",
  "57": "23",
  "58": "23",
  "59": "31",
  "61": "28",
  "62": "25",
  "65": "29",
  "75": "18",
  "78": "5",
  "82": "24",
  "91": "9",
  "92": "9",
  "93": "23",
  "96": "4",
  N7: "24",
  R0: "26",
  R1: "26",
  R3: "26",
}

const RAW_TEXTS: Readonly<Record<string, string>> = {
  "01": "Refer to card issuer",
  "04": "Pick up card",
  "05": "Do not honor",
  "07": "Pick up card, special condition",
  "12": "Invalid transaction",
  "13": "Invalid amount",
  "14": "Invalid card number",
  "15": "No such issuer",
  "1A": "Additional customer authentication required",
  "41": "Lost card",
  "43": "Stolen card",
  "46": "Closed account",
  "51": "Insufficient funds/over credit limit",
  "52": "No checking account",
  "53": "No savings account",
  "54": "Expired card",
  "55": "Incorrect PIN",
  "57": "Transaction not permitted to issuer/cardholder",
  "58": "Transaction not permitted to acquirer/terminal",
  "59": "Suspected fraud",
  "61": "Exceeds withdrawal amount limit",
  "62": "Restricted card",
  "65": "Exceeds withdrawal count limit",
  "75": "Allowable number of PIN tries exceeded",
  "78": "Invalid/nonexistent account",
  "82": "Negative CAM, dCVV, iCVV, CVV or TAVV results",
  "91": "Issuer unavailable or switch inoperative",
  "92": "Unable to route transaction",
  "93": "Transaction cannot be completed, violation of law",
  "96": "System malfunction",
  N7: "Decline for CVV2 failure",
  R0: "Stop payment order",
  R1: "Revocation of authorization order",
  R3: "Revocation of all authorizations order",
}

/** https://docs.adyen.com/development-resources/raw-acquirer-responses: Mastercard's advice, in words. */
const ADVICE_TEXTS: Readonly<Record<string, string>> = {
  "01": "New account information available",
  "02": "Cannot approve at this time, try again later",
  "03": "Do not try again",
  "04": "Token requirements not fulfilled for this token type",
  "21": "Payment cancellation",
  "24": "Retry after 1 hour",
  "25": "Retry after 24 hours",
  "26": "Retry after 2 days",
  "27": "Retry after 4 days",
  "28": "Retry after 6 days",
  "29": "Retry after 8 days",
  "30": "Retry after 10 days",
  "40": "Consumer non-reloadable prepaid card",
  "41": "Consumer single-use virtual card number",
}

export function refusalOf(responseCode: string): Refusal {
  return refusal(BY_RESPONSE_CODE[responseCode] ?? "2")
}

export function refusal(code: string): Refusal {
  return { code, reason: REASONS[code] ?? "Refused", resultCode: OTHER_RESULT_CODES[code] ?? "Refused" }
}

/** "05 : Do not honor" */
export function rawReason(responseCode: string): string {
  const text = RAW_TEXTS[responseCode]
  return text === undefined ? responseCode : `${responseCode} : ${text}`
}

/** "03 : Do not try again" */
export function rawAdvice(adviceCode: string): string {
  const text = ADVICE_TEXTS[adviceCode]
  return text === undefined ? adviceCode : `${adviceCode} : ${text}`
}
