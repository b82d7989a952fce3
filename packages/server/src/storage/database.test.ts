import assert from "node:assert/strict"
import { test } from "node:test"
import { failureOf, openDatabase, plainAboutTls, type Statement } from "./database.ts"
import { emptyDatabase } from "../../testing/pools.ts"

const silent = { info: () => {}, warn: () => {}, error: () => {} }
const once = (text: string): Statement => ({ name: "", text })
const failure = (promise: Promise<unknown>) => promise.then(() => assert.fail("it did not fail"), failureOf)

test("whole numbers of 64 bits come back exactly", async () => {
  const database = (await emptyDatabase()).open()
  const [row] = await database.query<{ a: bigint; b: number }>(
    once("select 9007199254740993::bigint as a, 7::integer as b"),
  )
  assert.deepEqual(row, { a: 9_007_199_254_740_993n, b: 7 })
  await database.close()
})

test("errors of the server say that nothing happened, and what was wrong", async () => {
  const database = (await emptyDatabase()).open()
  await database.query(once("create table t (id integer constraint t_key primary key)"))
  await database.query(once("insert into t values (1)"))
  assert.deepEqual(await failure(database.query(once("insert into t values (1)"))), {
    kind: "unique_violation",
    happened: "no",
    constraint: "t_key",
  })
  assert.deepEqual(await failure(database.query(once("select nonsense"))), { kind: "other", happened: "no" })
  const session = await database.session()
  await session.run("set statement_timeout = 20")
  assert.deepEqual(await failure(session.run("select pg_sleep(5)")), { kind: "timeout", happened: "no" })
  await session.run("set default_transaction_read_only = on")
  assert.deepEqual(await failure(session.run("insert into t values (3)")), { kind: "read_only", happened: "no" })
  await session.close()
  await database.close()
})

test("a session that is ended from outside leaves open whether its statement happened", async () => {
  const database = (await emptyDatabase()).open()
  assert.deepEqual(await failure(database.query(once("select pg_terminate_backend(pg_backend_pid())"))), {
    kind: "connection_lost",
    happened: "unknown",
  })
  assert.deepEqual(await database.query(once("select 1 as one")), [{ one: 1 }])
  await database.close()
})

test("a database that is not there is a lost connection on which nothing can have happened", async () => {
  const database = openDatabase({ host: "/nonexistent", user: "nobody", database: "none", log: silent })
  assert.deepEqual(await failure(database.query(once("select 1"))), { kind: "connection_lost", happened: "no" })
  await database.close()
})

test("an idle connection that breaks does not end the process", async () => {
  const { open } = await emptyDatabase()
  const warned: string[] = []
  const database = open({ log: { ...silent, warn: (_fields, message) => warned.push(message) } })
  const admin = open({ connections: 1 })
  await Promise.all([1, 2, 3].map(() => database.query(once("select pg_sleep(0.01)"))))
  await admin.query(
    once(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    ),
  )
  // Each of the three may still look alive to the pool when its turn comes.
  let row: object | undefined
  for (let tries = 0; tries < 4 && row === undefined; tries++) {
    row = await database.query(once("select 1 as one")).then(
      (rows) => rows[0],
      (error: unknown) => {
        assert.equal(failureOf(error)?.kind, "connection_lost")
        return undefined
      },
    )
  }
  assert.deepEqual(row, { one: 1 })
  await Promise.all([database.close(), admin.close()])
})

test("what did not come from the database is no failure of it", () => {
  assert.equal(failureOf(new TypeError("x is not a function")), undefined)
  assert.equal(failureOf("text"), undefined)
  assert.equal(failureOf(Object.assign(new Error("bug"), { code: "ERR_ASSERTION" })), undefined)
})

test("statements are planned for short work on tables that grow", async () => {
  const database = (await emptyDatabase()).open()
  const [row] = await database.query(
    once("select current_setting('enable_seqscan') as seqscan, current_setting('jit') as jit"),
  )
  assert.deepEqual(row, { seqscan: "off", jit: "off" })
  await database.close()
})

test("a TLS mode of the address means what it means today, without a warning of tomorrow", () => {
  const at = (query: string): string => plainAboutTls(`postgres://me:a%26b@db.example/shop${query}`).split("/shop")[1]!
  assert.equal(at("?sslmode=require"), "?sslmode=verify-full")
  assert.equal(at("?a=b&sslmode=prefer&sslrootcert=x"), "?a=b&sslmode=verify-full&sslrootcert=x")
  for (const as of ["", "?sslmode=disable", "?sslmode=no-verify", "?sslmode=require&uselibpqcompat=true"])
    assert.equal(at(as), as)
})
