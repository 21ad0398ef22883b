import { expect, test } from 'vitest'
import { curlOf, manifestOf } from './api-call.ts'
import { BINARY_STEPS, stack, WHOLE_STEPS } from './chart-parts.ts'
import { diffLeaves, inWords } from './diff.ts'
import { heldBack, sortRows } from './table-rows.ts'

test('differences are leaf by leaf', () => {
  const before = { spec: { partitions: 6, configs: { a: '1' } }, status: { phase: 'READY' } }
  const after = { spec: { partitions: 12, configs: {} }, status: { phase: 'READY' } }
  expect(diffLeaves(before, after)).toEqual([
    { path: 'spec.partitions', before: 6, after: 12 },
    { path: 'spec.configs.a', before: '1', after: undefined },
  ])
  expect(diffLeaves(undefined, { spec: { name: 'x' } })).toEqual([{ path: 'spec.name', before: undefined, after: 'x' }])
})

test('numbers with units are said in words too', () => {
  expect(inWords('spec.retention_ms', 604_800_000)).toBe('7 d')
  expect(inWords('spec.retention_bytes', -1)).toBe('unlimited')
  expect(inWords('spec.partitions', 6)).toBeUndefined()
})

test('rows sort by number, by text with numbers, unknown last', () => {
  const rows = [{ n: 'b10' }, { n: undefined }, { n: 'b9' }]
  expect(sortRows(rows, (r) => r.n, false).map((r) => r.n)).toEqual(['b9', 'b10', undefined])
  expect(sortRows([{ v: 10 }, { v: 9 }], (r) => r.v, true).map((r) => r.v)).toEqual([10, 9])
})

test('new rows wait, rows that are gone go', () => {
  const { shown, waiting } = heldBack(['a', 'c'], (r) => r, (id) => id === 'a' || id === 'b')
  expect(shown).toEqual(['a'])
  expect(waiting).toEqual(['c'])
})

test('an axis is cut at round steps of its unit', () => {
  expect(WHOLE_STEPS.slice(0, 5)).toEqual([1, 2, 5, 10, 20])
  expect(BINARY_STEPS[25]).toBe(32 * 1024 * 1024)
})

test('stacks keep gaps', () => {
  expect(stack([[1, null, 2], [3, null, null]])).toEqual([[1, null, 2], [4, null, 2]])
})

test('a call can be pasted into a shell and holds no secret', () => {
  const text = curlOf({ method: 'post', path: '/v1/members', body: { spec: { display_name: "O'Brien" }, password: 'hunter2' } }, 'tenant_1', 'http://weir')
  expect(text).toContain(`"O'\\''Brien"`)
  expect(text).not.toContain('hunter2')
  expect(text).toContain('Weir-Tenant: tenant_1')
  expect(curlOf({ method: 'delete', path: '/v1/topics/{id}', id: 'topic_1', generation: 3 }, undefined, 'http://weir')).toContain(`If-Match: "3"`)
})

test('a manifest is the wish without what was added to it', () => {
  const object = { kind: 'Topic', id: 't', metadata: { resource_name: 'r', created_at: '', updated_at: '', generation: 2, labels: { a: 'b' } }, spec: { name: 'x' }, status: { phase: 'READY' } }
  expect(JSON.parse(manifestOf(object))).toEqual({ api_version: 'v1', kind: 'Topic', metadata: { labels: { a: 'b' } }, spec: { name: 'x' } })
})
