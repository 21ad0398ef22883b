// Service levels in words and numbers.
import { formatDuration, plural } from '../../ui/format.ts'
import type { Amount, Budget, ServiceLevel } from './queries.ts'

const MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const share = new Intl.NumberFormat('en', { maximumFractionDigits: 3 })

/** A share as `99.5 %`, a time as `4 min 12 s`; another unit as it came. */
export function amountText({ value, unit }: Amount): string {
  if (unit === 'percent' || unit === '%') return `${share.format(value)} %`
  const ms = MS[unit]
  return ms === undefined ? `${share.format(value)} ${unit}` : formatDuration(Math.round((value * ms) / 1000) * 1000)
}

/** Freshness is kept from above, shares from below. */
export function objectiveText({ name, objective }: Pick<ServiceLevel, 'name' | 'objective'>): string {
  if (!objective) return 'cannot be read'
  return `${name === 'freshness' ? 'at most' : 'at least'} ${amountText(objective)}`
}

export interface BudgetText {
  /** How much is left, from 0 to 1. */
  left: number
  words: string
  spent: boolean
}

/** How many bad minutes there may be and were; one that is overspent says by how much. */
export function budgetText(budget: Budget): BudgetText {
  const { allowed_minutes: allowed, spent_minutes: spent, window_days: days } = budget
  const minutes = (n: number) => formatDuration(Math.round(n * 60) * 1000)
  const left = Math.min(1, Math.max(0, budget.remaining_ratio))
  const window = plural(days, 'day')
  if (allowed <= 0) return { left: spent > 0 ? 0 : 1, words: `${minutes(spent)} bad in ${window}; the promise leaves none`, spent: spent > 0 }
  if (spent > allowed) return { left: 0, words: `${minutes(spent)} of ${minutes(allowed)} spent in ${window}: ${minutes(spent - allowed)} too many`, spent: true }
  return { left, words: `${minutes(spent)} of ${minutes(allowed)} spent in ${window}, ${Math.floor(left * 100)} % left`, spent: false }
}
