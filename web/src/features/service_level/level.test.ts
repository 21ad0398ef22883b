import { expect, test } from 'vitest'
import { amountText, budgetText, objectiveText } from './level.ts'
import type { Budget } from './queries.ts'

const budget = (change: Partial<Budget> = {}): Budget => ({ window_days: 30, allowed_minutes: 216, spent_minutes: 54, remaining_ratio: 0.75, ...change })

test('an amount has its unit', () => {
  expect(amountText({ value: 99.95, unit: 'percent' })).toBe('99.95 %')
  expect(amountText({ value: 5, unit: 'm' })).toBe('5 min')
  expect(amountText({ value: 72.4, unit: 's' })).toBe('1 min 12 s')
  expect(amountText({ value: 7, unit: 'records' })).toBe('7 records')
})

test('an objective says from which side it is kept', () => {
  expect(objectiveText({ name: 'completeness', objective: { value: 99.5, unit: 'percent' } })).toBe('at least 99.5 %')
  expect(objectiveText({ name: 'freshness', objective: { value: 2, unit: 'h' } })).toBe('at most 2 h')
  expect(objectiveText({ name: 'freshness', objective: null })).toBe('cannot be read')
})

test('a budget says what is left, and what is too many', () => {
  expect(budgetText(budget())).toEqual({ left: 0.75, words: '54 min of 3 h 36 min spent in 30 days, 75 % left', spent: false })
  expect(budgetText(budget({ spent_minutes: 300, remaining_ratio: -0.38 }))).toMatchObject({ left: 0, spent: true, words: expect.stringContaining('1 h 24 min too many') as string })
  expect(budgetText(budget({ allowed_minutes: 0, spent_minutes: 0, remaining_ratio: 0 }))).toMatchObject({ left: 1, spent: false })
})
