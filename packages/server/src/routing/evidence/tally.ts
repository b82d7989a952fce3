// Sums by name, for reports by account, rule or segment: of the names that come first at most so many, the rest in one.

export const OTHERS = "(others)"
/** Names in one table of a report. */
export const MAX_NAMES = 200

export type Tally<K extends string> = ReturnType<typeof createTally<K>>
export type TallyRow<K extends string> = { readonly name: string } & Readonly<Record<K, number>>

export function createTally<const K extends string>(columns: readonly K[], most = MAX_NAMES) {
  const rows = new Map<string, Record<K, number>>()
  return {
    add(name: string, column: K, amount: number): void {
      const known = rows.has(name) || rows.size < most ? name : OTHERS
      let row = rows.get(known)
      if (row === undefined) {
        row = Object.fromEntries(columns.map((one) => [one, 0])) as Record<K, number>
        rows.set(known, row)
      }
      row[column] += amount
    },
    /** What another tally of these columns has summed up. */
    merge(more: readonly TallyRow<K>[]): void {
      for (const row of more) for (const column of columns) this.add(row.name, column, row[column])
    },
    /** By the first column, largest first. */
    rows(): readonly TallyRow<K>[] {
      const [first] = columns
      return [...rows]
        .map(([name, row]) => ({ name, ...row }))
        .toSorted((a, b) => (first === undefined ? 0 : b[first] - a[first]))
    },
  }
}
