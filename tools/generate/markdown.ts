// The little Markdown that generated documents need.

export const code = (text: string): string => `\`${text}\``

/** Cells may hold anything but line ends; a pipe is escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll(/\s*\n\s*/g, " ")).join(" | ")} |`
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")
}

const units = [
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
  [1_000, "second"],
] as const

/** A duration in the largest unit that says it exactly: 90000 → "90 seconds", 604800000 → "7 days". */
export function duration(ms: number): string {
  const [size, unit] = units.find(([length]) => ms >= length && ms % length === 0) ?? [1, "millisecond"]
  const count = ms / size
  return `${count} ${unit}${count === 1 ? "" : "s"}`
}
