// Every code of the providers' published lists is in a table of its connector: none is left to `unmapped`.

import * as adyenErrors from "../../packages/server/src/connectors/adyen/error-codes.ts"
import * as adyenEvents from "../../packages/server/src/connectors/adyen/event-codes.ts"
import * as adyenTables from "../../packages/server/src/connectors/adyen/tables.ts"
import * as checkoutCodes from "../../packages/server/src/connectors/checkout/response-codes.ts"
import { at, listAt } from "../../packages/server/src/connectors/json.ts"
import * as stripeTables from "../../packages/server/src/connectors/stripe/tables.ts"
import type { Case } from "./case.ts"
import type { DataFolder } from "./data-folder.ts"
import type { Provider } from "./providers.ts"

type Table = Readonly<Record<string, unknown>>

/** The table that answers for a field of the lists, by the provider's name of the field. */
const tables: Readonly<Record<Provider["id"], Readonly<Record<string, Table>>>> = {
  stripe: {
    "error.decline_code": stripeTables.declineCodes,
    "error.code": stripeTables.errorCodes,
    "error.type": stripeTables.errorTypes,
  },
  adyen: {
    refusalReasonCode: adyenTables.refusalReasons,
    resultCode: adyenTables.resultCodes,
    errorCode: adyenErrors.errorCodes,
    eventCode: adyenEvents.events,
  },
  checkout: { response_code: checkoutCodes.responseCodes },
}

export function checkCodes({ id }: Provider, data: DataFolder): readonly Case[] {
  const list = listAt({ list: data.json(`codes/${id}.json`) }, "list")
  const listed = list.map((entry) => ({ field: String(at(entry, "field")), code: String(at(entry, "code")) }))
  const events = id === "adyen" ? adyenEventCodes(data) : []
  return [...listed, ...events].map(({ field, code }): Case => {
    const table = tables[id][field]
    const isMapped = table !== undefined && Object.hasOwn(table, written(field, code))
    return {
      provider: id,
      part: "codes",
      name: `${field} ${code}`,
      verdict: isMapped
        ? { kind: "agree" }
        : { kind: "unexplained", detail: table === undefined ? "no table for this field" : "in no table" },
    }
  })
}

const adyenEventCodes = (data: DataFolder): readonly { readonly field: string; readonly code: string }[] =>
  listAt(data.json("codes/adyen_webhook_events.json"), "webhook_events").map((path) => ({
    field: "eventCode",
    code: String(path).replace(/^\//, ""),
  }))

/** Adyen writes error codes with and without leading zeros; the table has three digits. */
const written = (field: string, code: string): string =>
  field === "errorCode" && /^\d+$/.test(code) ? code.padStart(3, "0") : code
