// Why the server did not start, in one sentence that says what to do.

type Known = Partial<Record<"code" | "message" | "port" | "address" | "syscall" | "path", string | number>>

export function sentenceOf(error: unknown): string {
  const { code, message, port, address, syscall, path } = known(error)
  const said = typeof message === "string" && message !== "" ? message : String(error)
  switch (code) {
    case "EADDRINUSE":
      return `Port ${port} is in use: stop what listens there, or choose another with --port.`
    case "EACCES":
      return port === undefined
        ? `Not permitted: ${said}.`
        : `Port ${port} may not be used by this user: choose one above 1023 with --port.`
    case "EADDRNOTAVAIL":
      return `This machine has no address ${address}: choose another with --host.`
    case "ENOSPC":
    case "EDQUOT":
    case "53100":
      return FULL
    case "ENOENT":
      if (syscall === "connect") return unreachable(said)
      return syscall === "open" ? `The file ${path} does not exist.` : said
    case "ERR_INVALID_URL":
      return "DATABASE_URL is not an address: it reads postgres://user:password@host:port/database, with special characters of the password written as %40 and the like."
    case "ECONNREFUSED":
    case "ECONNRESET":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return unreachable(said)
    case "28P01":
    case "28000":
      return `The database refuses the user or password of DATABASE_URL (${said}).`
    case "3D000":
      return `The database of DATABASE_URL does not exist (${said}): create it, or correct the name.`
    case "42501":
      return `The user of DATABASE_URL may not make tables there (${said}): let it own the database, or grant it "create" on the schema public.`
    case "25006":
      return `The database of DATABASE_URL is a read-only copy (${said}): name the server that takes writes.`
    case "53300":
    case "57P03":
      return `The database takes no connection now (${said}): start again in a moment.`
    case "08P01":
      return said.includes("startup parameter")
        ? `The pooler that DATABASE_URL leads through refuses how we connect (${said}): set ignore_startup_parameters as docs/postgresql.md says, or go to PostgreSQL directly.`
        : said
    case undefined:
    default:
      return silent.test(said)
        ? unreachable(said)
        : (reasons.find(([is]) => is.test(`${code} ${said}`))?.[1](said) ?? said)
  }
}

const FULL = "The disk is full: free some space and start again; nothing was lost."

const unreachable = (said: string): string => `The database cannot be reached (${said}): check DATABASE_URL.`

/** What the driver says of a server that takes the connection and then says nothing, or nothing of PostgreSQL. */
const silent = /^(timeout expired|Connection terminated)/

const reasons: readonly (readonly [RegExp, (said: string) => string])[] = [
  [/No space left on device/, () => FULL],
  [/SASL.*password must be/, () => "The database asks for a password, and DATABASE_URL has none."],
  [
    /does not support SSL/,
    () => "The database does not speak TLS, which DATABASE_URL asks for: enable it there, or leave out sslmode.",
  ],
  [
    /CERT|certificate|UNABLE_TO_/,
    (said) =>
      `The database's certificate is not trusted (${said}): name its authority's file with sslrootcert=FILE in DATABASE_URL.`,
  ],
]

/** Of several addresses that were tried in vain, Node tells all; the first says enough. */
function known(error: unknown): Known {
  if (error instanceof AggregateError && error.message === "" && error.errors.length > 0) return known(error.errors[0])
  return (typeof error === "object" && error !== null ? error : {}) as Known
}
