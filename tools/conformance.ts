// Holds the connectors against official material: the providers' own API descriptions, exchanges that others recorded,
// signature vectors, lists of codes. The material is given as a folder and is no part of this repository.

import { conformance } from "./conformance/command.ts"

process.exitCode = conformance(process.argv.slice(2), {
  report: (text) => console.log(text),
  progress: (text) => console.error(text),
})
