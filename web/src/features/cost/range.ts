// The time that a report is about, from the address. Reports cut time in UTC, as bills do.
import type { Search } from '../../app/search.ts'
import { floorTo, GROUPS, type Group, type Measure } from './report.ts'

export const RANGES = [
  { key: '24h', label: 'Last 24 hours', hours: 24, granularity: 'HOURLY' },
  { key: '7d', label: 'Last 7 days', hours: 168, granularity: 'HOURLY' },
  { key: '30d', label: 'Last 30 days', hours: 720, granularity: 'DAILY' },
  { key: 'month', label: 'This month', hours: 0, granularity: 'DAILY' },
  { key: '12m', label: 'Last 12 months', hours: 8760, granularity: 'MONTHLY' },
] as const

export const GRANULARITIES = [
  { key: 'HOURLY', label: 'by hour' },
  { key: 'DAILY', label: 'by day' },
  { key: 'MONTHLY', label: 'by month' },
] as const

export interface View {
  range: string
  start: string
  end: string
  granularity: string
  groups: Group[]
  measure: Measure
}

const HOUR_MS = 3_600_000

export function viewOf(address: Search, now: Date): View {
  const range = RANGES.find((r) => r.key === address.range) ?? RANGES[0]
  const granularity = GRANULARITIES.find((g) => g.key === address.granularity)?.key ?? range.granularity
  // The hour under way belongs to the view; rounding keeps the query, and so the cache, still for an hour.
  const end = new Date(floorTo(now, 'HOURLY').getTime() + HOUR_MS)
  const begin = range.key === 'month' ? floorTo(now, 'MONTHLY') : new Date(end.getTime() - range.hours * HOUR_MS)
  const wanted = address.group_by === undefined ? ['topic'] : address.group_by.split(',')
  const measures: Measure[] = ['cost', 'bytes', 'records', 'requests']
  return {
    range: range.key,
    start: floorTo(begin, granularity).toISOString(),
    end: end.toISOString(),
    granularity,
    groups: GROUPS.filter((g) => wanted.includes(g)),
    measure: measures.find((m) => m === address.measure) ?? 'cost',
  }
}
