// A test's database with pools on it: one pool per process of a real installation.

import { openDatabase, type Database, type DatabaseOptions } from "../src/storage/database.ts"
import { emptyDatabase as createEmpty, freshDatabase as createFresh, type TestDatabase } from "./database.ts"

export type DatabaseWithPools = { readonly open: (options?: Partial<DatabaseOptions>) => Database }

const log = { info: () => {}, warn: () => {}, error: () => {} }
const CONNECTIONS = 4

/** The newest schema, no rows. */
export const freshDatabase = async (): Promise<DatabaseWithPools> => withPools(await createFresh())

/** Nothing in it. */
export const emptyDatabase = async (): Promise<DatabaseWithPools> => withPools(await createEmpty())

const withPools = (where: TestDatabase): DatabaseWithPools => ({
  open: (options = {}) => openDatabase({ ...where, log, connections: CONNECTIONS, ...options }),
})
