import { expect, test } from 'vitest'
import { budgetNote, parseBudget, printBudget, usedText } from './budget.ts'

test('a budget survives the form', () => {
  for (const [text, budget] of [['100', { unit_hours_per_month: 100, warn_at_percent: 80 }], ['100, warning at 70 %', { unit_hours_per_month: 100, warn_at_percent: 70 }]] as const) {
    expect(parseBudget(text)).toEqual({ ok: true, value: budget })
    expect(printBudget(budget)).toBe(text)
  }
  expect(['', 'much', '1.5', '-1'].filter((text) => parseBudget(text).ok)).toEqual([])
})

test('what is used of it', () => {
  const pool = (level: string | undefined) => ({
    spec: { data_plane: 'data_plane_1', name: 'steady', ...(level && { budget: { unit_hours_per_month: 1200, warn_at_percent: 80 } }) },
    status: { phase: 'READY' as const, units_used: 2, jobs: 1, unit_hours_this_month: 12.5, ...(level && { budget: { level, used_percent: 1.04, resets_at: '2026-12-01T00:00:00Z' } }) },
  }) as unknown as Parameters<typeof usedText>[0]
  expect(usedText(pool(undefined))).toBe('12.5 unit-hours')
  expect(usedText(pool('WITHIN'))).toMatch(/^12\.5 unit-hours of 1.200 \(1\.04 %\)$/)
  expect([undefined, 'WITHIN'].map((level) => budgetNote(pool(level)))).toEqual([undefined, undefined])
  expect(budgetNote(pool('EXHAUSTED'))).toContain('nothing is lost')
  expect(budgetNote(pool('WARNED'))).toContain('nearly')
})
