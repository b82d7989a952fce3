// The folder with the providers' official descriptions, recorded exchanges, signature vectors and code lists. It is given
// on the command line and nothing of it is part of this repository.

import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** What is wrong with the folder, in words for whoever gave it. */
export class DataFolderError extends Error {}

export type DataFolder = {
  readonly json: (file: string) => unknown
  readonly lines: (file: string) => readonly unknown[]
}

/** Files that tell such a folder from any other. */
const expected = ["specs", "recorded", "webhooks", "codes"]

export function openDataFolder(path: string | undefined): DataFolder {
  if (path === undefined || path === "")
    throw new DataFolderError("--data is missing: give the folder with specs/, recorded/, webhooks/ and codes/.")
  if (!existsSync(path)) throw new DataFolderError(`${path} does not exist.`)
  const missing = expected.filter((name) => !existsSync(join(path, name)))
  if (missing.length > 0)
    throw new DataFolderError(
      `${path} is not the data folder: it has no ${missing.map((name) => `${name}/`).join(", ")}.`,
    )
  const read = (file: string): string => {
    try {
      return readFileSync(join(path, file), "utf8")
    } catch (error) {
      throw new DataFolderError(`${join(path, file)} cannot be read: ${messageOf(error)}`)
    }
  }
  const parse = (text: string, where: string): unknown => {
    try {
      return JSON.parse(text) as unknown
    } catch (error) {
      throw new DataFolderError(`${join(path, where)} is not JSON: ${messageOf(error)}`)
    }
  }
  return {
    json: (file) => parse(read(file), file),
    lines: (file) =>
      read(file)
        .split("\n")
        .flatMap((line, index) => (line.trim() === "" ? [] : [parse(line, `${file}:${index + 1}`)])),
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
