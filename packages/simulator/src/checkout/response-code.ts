// Checkout.com's response codes: five characters whose first digit tells approved (1), soft (2), hard (3) and risk
// (4) declines. An issuer's ISO 8583 code stands in the last two.
// https://www.checkout.com/docs/developer-resources/codes/api-response-codes

export const APPROVED = "10000"
export const PARTIALLY_APPROVED = "10010"
export const INSUFFICIENT_FUNDS = "20051"
export const CVV_FAILED = "20082"
export const NOT_ENROLLED = "20150"
export const FAILED_3DS = "20151"
export const UNFINISHED_3DS = "20152"
export const THREE_DS_REQUIRED = "20154"

const SUMMARIES: Readonly<Record<string, string>> = {
  "10000": "Approved",
  "10010": "Partial Value Approved",
  "20001": "Refer to card issuer",
  "20003": "Invalid merchant or service provider",
  "20005": "Declined - Do not honour",
  "20012": "Invalid transaction",
  "20013": "Invalid value/amount",
  "20014": "Invalid account number (no such number)",
  "20046": "Bank decline",
  "20051": "Insufficient funds",
  "20052": "No current (checking) account",
  "20053": "No savings account",
  "20054": "Expired card",
  "20055": "Incorrect PIN / PIN validation not possible",
  "20057": "Transaction not permitted to cardholder",
  "20058": "Transaction not permitted to terminal",
  "20059": "Suspected fraud",
  "20061": "Activity amount limit exceeded",
  "20062": "Restricted card",
  "20063": "Security violation",
  "20065": "Exceeds Withdrawal Frequency Limit",
  "20075": "Allowable PIN-entry tries exceeded",
  "20078": "Blocked at first use",
  "20082": "No security model / negative CAM, dCVV, iCVV, or CVV results",
  "20091": "Issuer unavailable or switch is inoperative",
  "20092": "Destination cannot be found for routing",
  "20093": "Transaction cannot be completed; violation of law",
  "20096": "System malfunction",
  "200N7": "Decline for CVV2 failure",
  "200R1": "Issuer initiated a stop payment (revocation order) for this authorization",
  "200R3": "Issuer initiated a stop payment (revocation order) for all authorizations",
  "20150": "Card not 3D Secure (3DS) enabled",
  "20151": "Cardholder failed 3DS authentication",
  "20152": "Initial 3DS transaction not completed within 15 minutes",
  "20154": "3DS authentication required",
  "30004": "Pick up card (No fraud)",
  "30007": "Pick up card - Special conditions",
  "30015": "No such issuer",
  "30033": "Expired card - Pick up",
  "30041": "Lost card - Pick up",
  "30043": "Stolen card - Pick up",
  "30046": "Closed account",
}

/** ISO 8583 codes that are not simply appended to "200". */
const BY_RESPONSE_CODE: Readonly<Record<string, string>> = {
  "00": APPROVED,
  "04": "30004",
  "07": "30007",
  "10": PARTIALLY_APPROVED,
  "15": "30015",
  "1A": THREE_DS_REQUIRED,
  "33": "30033",
  "41": "30041",
  "43": "30043",
  "46": "30046",
  R0: "200R1",
}

export function responseCodeOf(issuerCode: string): string {
  return BY_RESPONSE_CODE[issuerCode] ?? `200${issuerCode}`
}

export function summaryOf(responseCode: string): string {
  return SUMMARIES[responseCode] ?? "Declined"
}
