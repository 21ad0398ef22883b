// Pure parts of the table: sorting, filtering, and keeping rows still while the reader is among them.

export type SortValue = string | number | undefined

export interface Sort {
  key: string
  descending: boolean
}

export function sortRows<T>(rows: readonly T[], value: ((row: T) => SortValue) | undefined, descending: boolean): T[] {
  if (!value) return [...rows]
  const sign = descending ? -1 : 1
  return [...rows].sort((a, b) => compare(value(a), value(b)) * sign)
}

function compare(a: SortValue, b: SortValue): number {
  if (a === b) return 0
  if (a === undefined) return 1
  if (b === undefined) return -1
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return String(a).localeCompare(String(b), 'en', { numeric: true })
}

/** Rows that joined after the reader began to look wait for a word from them; rows that left go at once. */
export function heldBack<T>(rows: readonly T[], id: (row: T) => string, isKnown: (id: string) => boolean): { shown: T[]; waiting: T[] } {
  const shown: T[] = []
  const waiting: T[] = []
  for (const row of rows) (isKnown(id(row)) ? shown : waiting).push(row)
  return { shown, waiting }
}
