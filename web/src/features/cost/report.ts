// From report rows to series and sums. Pure. Money is added as decimals; only the drawing uses floats.
import type { CostRow, UsageRow } from '../../api/types.ts'
import { addDecimals } from '../../ui/format.ts'

export type Measure = 'cost' | 'bytes' | 'records' | 'requests'
export const GROUPS = ['organization', 'tenant', 'environment', 'cluster', 'topic', 'principal', 'direction'] as const
export type Group = (typeof GROUPS)[number]

export interface Row {
  start: string
  end: string
  keys: Partial<Record<Group, string>>
  meter?: string
  amount?: string
  currency?: string
  bytes?: number
  records?: number
  requests?: number
  uncertain?: number
  quantity?: number
  unrated?: boolean
}

function keysOf(row: CostRow | UsageRow): Row['keys'] {
  const keys: Row['keys'] = {}
  for (const group of GROUPS) if (row[group] !== undefined) keys[group] = row[group]
  return keys
}

export function fromCost(row: CostRow): Row {
  const { start, end, meter, amount, currency, quantity, unrated } = row
  return { start, end, keys: keysOf(row), meter, amount, currency, quantity, unrated }
}

export function fromUsage(row: UsageRow): Row {
  const { start, end, bytes, records, requests, uncertain_bytes } = row
  return { start, end, keys: keysOf(row), bytes, records, requests, uncertain: uncertain_bytes }
}

export function groupKey(row: Row, groups: readonly Group[]): string {
  return groups.map((g) => row.keys[g] ?? '').join('/')
}

export function numberOf(row: Row, measure: Measure): number {
  return measure === 'cost' ? Number(row.amount ?? 0) : (row[measure] ?? 0)
}

export interface Sum {
  key: string
  keys: Row['keys']
  currency?: string
  amount: string
  bytes: number
  records: number
  requests: number
  uncertain: number
  unrated: boolean
}

/** One sum for each combination of the dimensions, and of the currency: different money is never added. */
export function sums(rows: readonly Row[], groups: readonly Group[]): Sum[] {
  const found = new Map<string, { rows: Row[]; first: Row }>()
  for (const row of rows) {
    const key = `${groupKey(row, groups)}|${row.currency ?? ''}`
    const held = found.get(key)
    if (held) held.rows.push(row)
    else found.set(key, { rows: [row], first: row })
  }
  return [...found.entries()].map(([key, { rows: own, first }]) => ({
    key,
    keys: first.keys,
    currency: first.currency,
    amount: addDecimals(own.map((r) => r.amount ?? '0')),
    bytes: own.reduce((n, r) => n + (r.bytes ?? 0), 0),
    records: own.reduce((n, r) => n + (r.records ?? 0), 0),
    requests: own.reduce((n, r) => n + (r.requests ?? 0), 0),
    uncertain: own.reduce((n, r) => n + (r.uncertain ?? 0), 0),
    unrated: own.some((r) => r.unrated),
  }))
}

export interface Series {
  key: string
  keys: Row['keys'] | undefined
  values: (number | null)[]
}

export const SERIES_MAX = 6

/** The largest series by sum; what is left goes into one more. Times without a row are gaps, not zeroes. */
export function seriesOf(rows: readonly Row[], groups: readonly Group[], measure: Measure, times: readonly number[]): Series[] {
  const at = new Map(times.map((t, i) => [t, i]))
  const series = new Map<string, Series & { total: number }>()
  for (const row of rows) {
    const index = at.get(Date.parse(row.start) / 1000)
    if (index === undefined) continue
    const key = groupKey(row, groups)
    const held = series.get(key) ?? { key, keys: row.keys, values: times.map(() => null), total: 0 }
    const value = numberOf(row, measure)
    held.values[index] = (held.values[index] ?? 0) + value
    held.total += value
    series.set(key, held)
  }
  const ordered = [...series.values()].sort((a, b) => b.total - a.total)
  const top = ordered.slice(0, SERIES_MAX).map(({ key, keys, values }): Series => ({ key, keys, values }))
  const rest = ordered.slice(SERIES_MAX)
  if (rest.length > 0) {
    const values = times.map((_, i) => rest.reduce<number | null>((sum, s) => (s.values[i] === null || s.values[i] === undefined ? sum : (sum ?? 0) + s.values[i]), null))
    top.push({ key: 'others', keys: undefined, values })
  }
  return top
}

/** Every period from start to end, so that a quiet hour is seen as a gap. */
export function periods(start: string, end: string, granularity: string): number[] {
  const times: number[] = []
  const at = floorTo(new Date(start), granularity)
  const last = Date.parse(end)
  while (at.getTime() < last && times.length < 2000) {
    times.push(at.getTime() / 1000)
    if (granularity === 'MONTHLY') at.setUTCMonth(at.getUTCMonth() + 1)
    else if (granularity === 'DAILY') at.setUTCDate(at.getUTCDate() + 1)
    else at.setUTCHours(at.getUTCHours() + 1)
  }
  return times
}

export function floorTo(at: Date, granularity: string): Date {
  const floor = new Date(at)
  floor.setUTCMinutes(0, 0, 0)
  if (granularity !== 'HOURLY') floor.setUTCHours(0)
  if (granularity === 'MONTHLY') floor.setUTCDate(1)
  return floor
}

/** Rows as CSV for a spreadsheet; a cell that could be taken for a formula is quoted as text. */
export function toCsv(rows: readonly Row[], groups: readonly Group[]): string {
  const columns = ['start', 'end', ...groups, 'meter', 'quantity', 'amount', 'currency', 'bytes', 'records', 'requests', 'uncertain'] as const
  const cell = (value: string | number | boolean | undefined) => {
    const text = value === undefined ? '' : String(value)
    const safe = /^[=+\-@\t]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text
    return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
  }
  const line = (row: Row) => columns.map((c) => cell((GROUPS as readonly string[]).includes(c) ? row.keys[c as Group] : row[c as Exclude<keyof Row, 'keys'>])).join(',')
  return [columns.join(','), ...rows.map(line)].join('\n') + '\n'
}
