import { expect, test } from 'vitest'
import type { ContractVersion } from '../../api/types.ts'
import { draftOf, emptyDraft, engineDraft, metadataOf, wishOf } from './draft.ts'
import { levelError, splitProperties } from './properties.ts'
import { inList, moveRule, newRule, rulesOf, ruleSetOf } from './rule-draft.ts'

const standing = {
  version: 3, format: 'JSON', schema: '{}', schema_id: 1, guid: 'g', kind: 'ContractVersion', contract: 'contract_1',
  references: [{ name: 'money.json', subject: 'money', version: 2 }],
  properties: { owner: 'cards', lifecycle: 'STABLE', team: 'a=b', note: 'two\nlines', 'service_level.freshness': '5 m', 'service_level.completeness': 'nearly all' },
  tags: { '$.iban': ['PII', 'GDPR'] },
  rule_set: {
    domainRules: [{ name: 'positive', kind: 'CONDITION', mode: 'WRITE', type: 'CEL', expr: 'message.amount > 0', onFailure: 'DLQ', onSuccess: 'NONE', params: { a: '1' } }],
    enableAt: 'ALL',
  },
} as unknown as ContractVersion

test('a version goes into the form and comes back as it was', () => {
  const draft = draftOf(standing, 'payments-value', '{}')
  expect(metadataOf(draft)).toEqual({ tags: standing.tags, properties: standing.properties })
  expect(engineDraft(draft, []).ruleSet).toEqual(standing.rule_set)
  expect(draft.about.owner).toBe('cards')
  expect(draft.levels.freshness).toEqual({ value: '5', unit: 'm' })
  expect(draft.others).toBe('team=a=b\nservice_level.completeness=nearly all')
})

test('what nobody touched is not sent, so that what is hidden is taken over', () => {
  const draft = draftOf(standing, 'payments-value', '{}')
  expect(wishOf(draft, draft)).toEqual({ schema_type: 'JSON', schema: '{}', references: standing.references })
  expect(wishOf({ ...draft, tags: {} }, draft).metadata).toEqual({ tags: {}, properties: standing.properties })
  expect(wishOf({ ...draft, rules: [], ruleSetRest: {} }, draft).rule_set).toEqual({})
})

test('a new contract says where it is, and nothing that is empty', () => {
  expect(wishOf(emptyDraft('environment_1', ' payments-value '))).toMatchObject({ subject: 'payments-value', environment: 'environment_1' })
  expect(Object.keys(wishOf(emptyDraft('', 'a')))).toEqual(['subject', 'schema_type', 'schema'])
})

test('a word of a lifecycle that is none of ours stays a property', () => {
  expect(splitProperties({ lifecycle: 'sunset' })).toMatchObject({ about: { lifecycle: '' }, others: 'lifecycle=sunset' })
})

test('service levels are numbers with a sense', () => {
  for (const [name, value] of [['freshness', '0'], ['freshness', 'x'], ['completeness', '101'], ['availability', '0']] as const) expect(levelError(name, { value, unit: '' })).toBeDefined()
  for (const [name, value] of [['freshness', '0.5'], ['completeness', '100'], ['availability', '']] as const) expect(levelError(name, { value, unit: '' })).toBeUndefined()
})

test('rules move among those of their list', () => {
  const rules = ['a', 'b', 'c'].map((name, at) => ({ ...newRule(at === 1 ? 'migrationRules' : 'domainRules'), name }))
  expect(moveRule(rules, rules[0]!.key, 1).map((r) => r.name)).toEqual(['c', 'b', 'a'])
  expect(moveRule(rules, rules[0]!.key, -1).map((r) => r.name)).toEqual(['a', 'b', 'c'])
  expect(inList(rules[0]!, 'migrationRules').mode).toBe('UPGRADE')
  expect(inList({ ...rules[0]!, mode: 'READ' }, 'encodingRules').mode).toBe('READ')
})

test('of a rule set only what is one is read', () => {
  expect(rulesOf({ domainRules: [null, 3, { name: 7 }] }).map((r) => r.name)).toEqual([''])
  expect(ruleSetOf([])).toEqual({})
})
