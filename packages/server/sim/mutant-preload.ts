// `node --import ./mutant-preload.ts …` with SIM_MUTANT naming a mutant: breaks the engine while it is loaded.

import { registerHooks } from "node:module"
import { mutants } from "./mutants.ts"

const mutant = mutants.find((m) => m.name === process.env["SIM_MUTANT"])
if (mutant === undefined) throw new Error(`no mutant is called "${process.env["SIM_MUTANT"]}"`)

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (!url.endsWith(`/server/src/${mutant.file}`)) return loaded
    const { source: text } = loaded
    const source = typeof text === "string" ? text : Buffer.from(text as Uint8Array).toString("utf8")
    const count = source.split(mutant.find).length - 1
    if (count !== 1) throw new Error(`mutant "${mutant.name}": its text stands ${count} times in ${mutant.file}`)
    return { ...loaded, source: source.replace(mutant.find, () => mutant.replace) }
  },
})
