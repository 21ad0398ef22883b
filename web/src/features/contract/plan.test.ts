import { expect, test } from 'vitest'
import { emptyDraft } from './draft.ts'
import { draftErrors } from './draft-errors.ts'
import { outcome } from './plan-view.tsx'
import { newRule } from './rule-draft.ts'
import type { ContractPlan } from './wire.ts'

const plan = (change: Partial<ContractPlan>): ContractPlan => ({ kind: 'ContractPlan', accepted: true, version: 4, unchanged: false, problems: [], changes: [], impact: { topics: [], writers: [], readers: [], jobs: [], shares: [], truncated: false }, ...change })
const problem = (blocking: boolean) => ({ source: 'LINT' as const, message: 'm', blocking })

test('a plan says first what would come of it', () => {
  expect(outcome(plan({}))).toBe('It would be version 4. Nothing is done yet.')
  expect(outcome(plan({ unchanged: true }))).toContain('stands already as version 4')
  expect(outcome(plan({ accepted: false, version: null, problems: [problem(true), problem(false)] }))).toBe('It would be refused: 1 problem. Nothing is done yet.')
})

test('what cannot be right is said before anybody is asked', () => {
  const draft = emptyDraft('', 'payments-value')
  expect(draftErrors(draft, true)).toEqual([])
  expect(draftErrors({ ...draft, subject: ' ' }, true)).toEqual(['A subject is needed'])
  expect(draftErrors({ ...draft, subject: ' ' }, false)).toEqual([])
  const wrong = { ...draft, schema: '', rules: [newRule()], others: 'x', references: [{ name: '', subject: 'a', version: 1 }], levels: { ...draft.levels, freshness: { value: 'x', unit: 'm' } } }
  expect(draftErrors(wrong, true)).toHaveLength(5)
})
