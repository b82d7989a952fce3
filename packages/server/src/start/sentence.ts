// Why the server did not start, in one sentence that says what to do.

type Known = Partial<Record<"code" | "message" | "port" | "address", string | number>>

export function sentenceOf(error: unknown): string {
  const { code, message, port, address } = (typeof error === "object" && error !== null ? error : {}) as Known
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
      return "The disk is full: free some space and start again; nothing was lost."
    case "ECONNREFUSED":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `The database cannot be reached (${said}): check DATABASE_URL.`
    case "28P01":
    case "28000":
      return `The database refuses the user or password of DATABASE_URL (${said}).`
    case "3D000":
      return `The database of DATABASE_URL does not exist (${said}): create it, or correct the name.`
    case undefined:
    default:
      return said
  }
}
