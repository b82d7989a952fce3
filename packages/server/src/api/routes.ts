// What a file of routes is.

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox"
import type {
  FastifyBaseLogger,
  FastifyInstance,
  preHandlerAsyncHookHandler,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify"
import type { Api, Scope } from "./context.ts"

/** Handlers are typed by their schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>
/** Names the scope that a route needs. */
export type Guard = (scope: Scope) => { readonly onRequest: preHandlerAsyncHookHandler }
/** Routes of one resource, below /v1. */
export type Routes = (app: App, api: Api, guard: Guard) => void
/** Routes below the root, without a key, in a scope of their own. */
export type OutsideRoutes = (app: FastifyInstance, api: Api) => void
