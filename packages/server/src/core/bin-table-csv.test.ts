import assert from "node:assert/strict"
import { test } from "node:test"
import { MAX_BIN_PROBLEMS } from "./bin-table.ts"
import { readBinTable } from "./bin-table-csv.ts"

const tableOf = (text: string) => {
  const read = readBinTable(text)
  return read.kind === "table" ? read.table : assert.fail(JSON.stringify(read.problems))
}
const problemsOf = (text: string): readonly string[] => {
  const read = readBinTable(text)
  return read.kind === "table" ? [] : read.problems.map(({ line, detail }) => `${line}: ${detail}`)
}

test("a table is read as spreadsheets write it: quotes, empty and missing values, columns in any order", () => {
  const table = tableOf(
    "\uFEFFbin,issuer,country,funding,product\r\n" +
      '42424242,"Bank of ""Nowhere"", N.A.",US,credit,visa_signature\r\n' +
      "424242 , Meridian\r\n" +
      "\r\n" +
      "40000000-40000099,,DE,,\r\n",
  )
  assert.equal(table.rows, 3)
  assert.deepEqual(table.factsOf("4242424242424242"), {
    country: "US",
    funding: "credit",
    issuer: 'Bank of "Nowhere", N.A.',
    product: "visa_signature",
  })
  // The narrower row speaks with all its columns; what it leaves empty is not known.
  assert.deepEqual(table.factsOf("4242420000000000"), { issuer: "Meridian" })
  assert.deepEqual(table.factsOf("4000009912345678"), { country: "DE" })
  assert.equal(table.factsOf("4000010012345678"), undefined)
  assert.deepEqual(tableOf("bin\n424242").factsOf("424242"), {})
})

test("all that is wrong is said with its line", () => {
  assert.deepEqual(
    problemsOf(
      [
        "bin,country,funding,issuer,product",
        "4242,UK,charge,,",
        "424242,US,credit,Bank,gold,more",
        '424243,US,credit,"Bank,gold',
        "400010-400005,,,,",
        "400000-4000001,,,,",
        `424244,,,${"x".repeat(101)},a\u0007`,
        "424245,DE,debit,Bank,gold",
      ].join("\n"),
    ),
    [
      '2: has the bin "4242": 6 to 8 digits, or two of them as in 40000000-40000999',
      '2: has the country "UK", which is none of ISO 3166-1 (two capital letters)',
      '2: has the funding "charge", which is none of credit, debit, prepaid',
      "3: has 6 values for 5 columns",
      "4: has a quote that is not closed, or text beside one",
      "5: has the range 400010-400005, which ends before it begins",
      "6: has the range 400000-4000001, whose ends differ in length",
      "7: has an issuer that is longer than 100 characters",
      "7: has a product that has characters that are none",
    ],
  )
  assert.deepEqual(problemsOf("bins,country,country\n"), [
    '1: has a column "bins": the header names bin, country, funding, issuer, product',
    "1: has the column country twice",
    "1: has no column bin: the header reads bin,country,funding,issuer,product",
  ])
  assert.deepEqual(problemsOf(""), [
    '1: has a column "": the header names bin, country, funding, issuer, product',
    "1: has no column bin: the header reads bin,country,funding,issuer,product",
  ])
})

test("a table with nothing but wrong rows says the first of them, and that there are more", () => {
  const read = readBinTable(`bin\n${"x\n".repeat(1_000)}`)
  assert.ok(read.kind === "refused" && read.more)
  assert.equal(read.problems.length, MAX_BIN_PROBLEMS)
})
