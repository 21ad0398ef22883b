import { expect, test } from 'vitest'
import { ruleRows } from './rules.ts'
import { printSchema, printSorted } from './schema-text.ts'

test('rules of all three lists are rows, with the defaults of the registry', () => {
  const rows = ruleRows({
    domainRules: [{ name: 'positive', kind: 'CONDITION', mode: 'WRITE', type: 'CEL', expr: 'message.amount > 0', onFailure: 'DLQ', tags: ['PII', 7] }],
    encodingRules: [{ name: 'seal', type: 'ENCRYPT', disabled: true }],
  })
  expect(rows.map((r) => [r.list, r.name, r.kind, r.mode, r.onFailure, r.disabled, r.tags])).toEqual([
    ['Domain', 'positive', 'condition', 'write', 'DLQ', false, 'PII'],
    ['Encoding', 'seal', 'transform', 'write and read', 'ERROR', true, ''],
  ])
})

test('what is no rule set has no rules', () => {
  for (const set of [undefined, null, 'x', [], { domainRules: 'x' }, { domainRules: [null, 'x', 3] }]) expect(ruleRows(set)).toEqual([])
})

test('schemas are compared by what they say: keys in order, lists as they are', () => {
  expect(printSorted('{"b":[{"d":1,"c":2},1],"a":null}')).toBe(JSON.stringify({ a: null, b: [{ c: 2, d: 1 }, 1] }, null, 2))
  expect(printSorted('message A {}')).toBe('message A {}')
  expect(printSorted('{"b":9007199254740993,"a":1}')).toBe('{"b":9007199254740993,"a":1}')
})

test('a schema that is JSON is set out in lines, another stays as it is', () => {
  expect(printSchema('{"type":"record","fields":[]}')).toBe('{\n  "type": "record",\n  "fields": []\n}')
  expect(printSchema('syntax = "proto3";\nmessage A {}')).toBe('syntax = "proto3";\nmessage A {}')
  expect(printSchema('{"maximum":9007199254740993}')).toBe('{"maximum":9007199254740993}')
})
