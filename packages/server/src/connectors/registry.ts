// Every connector, by its id. Generated from the folders beside this file by `npm run generate`: do not edit.

import { adyen } from "./adyen/index.ts"
import { checkout } from "./checkout/index.ts"
import { stripe } from "./stripe/index.ts"
import { type Connector, lookup } from "./connector.ts"

export const connectors = { adyen, checkout, stripe } satisfies Readonly<Record<string, Connector>>

export type ConnectorId = keyof typeof connectors

/** The connector of that id, which may come from a request or a row. */
export const findConnector = (id: string): Connector | undefined => lookup<Connector>(connectors, id)
