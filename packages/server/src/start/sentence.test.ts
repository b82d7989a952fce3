import assert from "node:assert/strict"
import { test } from "node:test"
import { openDatabase } from "../storage/database.ts"
import { migrate } from "../storage/ledger/migrate.ts"
import { emptyDatabase, type TestDatabase } from "../../testing/database.ts"
import { sentenceOf } from "./sentence.ts"

const silent = { info: () => {}, warn: () => {}, error: () => {} }

async function start(options: { readonly url?: string } | TestDatabase): Promise<string> {
  const database = openDatabase({ ...options, log: silent })
  try {
    await migrate(database, silent)
    return "it started"
  } catch (error) {
    return sentenceOf(error)
  } finally {
    await database.close()
  }
}

test("what is wrong with a database's address is said in one sentence that names what to do", async () => {
  const { host, user, database } = await emptyDatabase()
  const at = (name: string, query = ""): string =>
    `postgres://${user}@/${name}?host=${encodeURIComponent(host)}${query}`
  assert.match(await start({ url: at("nowhere") }), /^The database of DATABASE_URL does not exist .* create it/)
  assert.match(await start({ url: at(database).replace(user, "nobody_here") }), /^The database refuses the user/)
  assert.match(await start({ url: "postgres:///shop?host=/nonexistent" }), /^The database cannot be reached .* check/)
  assert.match(await start({ url: "postgres://127.0.0.1:1/shop" }), /^The database cannot be reached/)
  assert.match(await start({ url: "postgres://localhost:1/shop" }), /^The database cannot be reached/)
  assert.match(await start({ url: "postgres://[bad" }), /^DATABASE_URL is not an address/)
  assert.match(
    await start({ url: at(database, "&sslmode=verify-full&sslrootcert=/none") }),
    /^The file \/none does not/,
  )
  assert.equal(await start({ url: at(database) }), "it started")
})

test("a database that is there but not for us is told apart", () => {
  const said = (code: string, message: string): string => sentenceOf(Object.assign(new Error(message), { code }))
  assert.match(said("42501", "permission denied for schema public"), /may not make tables there .* grant/)
  assert.match(said("25006", "cannot execute CREATE TABLE"), /read-only copy/)
  assert.match(said("57P03", "the database system is starting up"), /start again in a moment/)
  assert.match(said("08P01", "unsupported startup parameter: statement_timeout"), /pooler .* ignore_startup_parameters/)
  assert.match(said("DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed certificate"), /not trusted .* sslrootcert/)
  assert.match(said("53100", "could not extend file: No space left on device"), /^The disk is full/)
  assert.match(sentenceOf(new Error("could not write init file: No space left on device")), /^The disk is full/)
  assert.match(sentenceOf(new Error("The server does not support SSL connections")), /does not speak TLS/)
  assert.match(sentenceOf(new Error("SASL: client password must be a string")), /has none/)
  assert.match(sentenceOf(new Error("timeout expired")), /cannot be reached/)
  assert.equal(sentenceOf(new Error("something else")), "something else")
  assert.equal(said("database_too_new", "A newer one has been here."), "A newer one has been here.")
})
