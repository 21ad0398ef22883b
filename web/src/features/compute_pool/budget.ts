// What a compute pool may use of a month, in a form and in words.
import type { ComputePool } from '../../api/types.ts'
import { formatCount, formatHundredths } from '../../ui/format.ts'
import type { Parsed } from '../../ui/form/parse.ts'

const WARNS_AT = 80

/** `100`, or `100, warning at 70 %`. */
export function parseBudget(text: string): Parsed<{ unit_hours_per_month: number; warn_at_percent: number }> {
  const [, hours, percent = WARNS_AT] = /^\s*(\d{1,7})(?:\s*,?\s*warn(?:ing)?\s+at\s+(\d{1,3})\s*%)?\s*$/.exec(text) ?? []
  return hours === undefined
    ? { ok: false, error: 'A whole number of unit-hours, such as 100; or 100, warning at 70 %' }
    : { ok: true, value: { unit_hours_per_month: Number(hours), warn_at_percent: Number(percent) } }
}

export function printBudget(value: unknown): string {
  const { unit_hours_per_month, warn_at_percent = WARNS_AT } = value as NonNullable<ComputePool['spec']['budget']>
  return warn_at_percent === WARNS_AT ? String(unit_hours_per_month) : `${unit_hours_per_month}, warning at ${warn_at_percent} %`
}

/** What was used of this month's budget. */
export function usedText({ spec, status }: Pick<ComputePool, 'spec' | 'status'>): string {
  const used = `${formatHundredths(status.unit_hours_this_month)} unit-hours`
  if (!spec.budget || !status.budget) return used
  return `${used} of ${formatCount(spec.budget.unit_hours_per_month)} (${formatHundredths(status.budget.used_percent)} %)`
}

/** What people should know of it. */
export function budgetNote({ status }: Pick<ComputePool, 'status'>): string | undefined {
  if (status.budget?.level === 'EXHAUSTED') return 'The budget of this month is used up: the pool’s jobs stand where they are, and nothing is lost. They go on when the month turns, or when the budget is raised.'
  return status.budget?.level === 'WARNED' ? 'The budget of this month is nearly used up. When it is, the pool’s jobs stand until the month turns.' : undefined
}
