// What a new connector still has to say. `npm run connector:new` marks every place that only the provider's documentation
// can fill; each of them is a failing test that names file, line and task, until the mark is gone. Test support.

import { readdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { test } from "node:test"
import { fileURLToPath } from "node:url"

/** Written apart, so that this file does not find itself. */
export const placeholderMark = ["FILL", "IN"].join(" ")

/** More files than that is no connector's folder. */
const maxFiles = 200

export type Placeholder = { readonly file: string; readonly line: number; readonly task: string }

/** Every mark in the files of a connector's folder, its samples and notes included. */
export function placeholdersIn(folder: URL): readonly Placeholder[] {
  const home = fileURLToPath(folder)
  const files = readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
    .slice(0, maxFiles)
  return files.flatMap((path) =>
    readFileSync(path, "utf8")
      .split("\n")
      .flatMap((text, index) => {
        const [, task] = text.split(placeholderMark)
        if (task === undefined) return []
        return [
          { file: relative(home, path), line: index + 1, task: task.replace(/^[:\s]+/, "").replace(/["',\s]+$/, "") },
        ]
      }),
  )
}

/** One failing test for each place that is still to be filled in. */
export function placeholderTests(folder: URL): void {
  const left = placeholdersIn(folder)
  for (const { file, line, task } of left)
    test(`to fill in, ${file}:${line}: ${task}`, () => {
      throw new Error(`${file}:${line} still holds the mark "${placeholderMark}": ${task}`)
    })
  if (left.length === 0) test("nothing is left to fill in", () => undefined)
}
