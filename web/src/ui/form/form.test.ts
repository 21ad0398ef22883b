import { expect, test } from 'vitest'
import { initialTexts, isEmptyPatch, labelsField, patchOf, readForm, type Field } from './fields.ts'
import { parseBytes, parseDuration, parseName, parsePairs, parseTopicName, parseWhole, printBytes, printDuration } from './parse.ts'

const fields: readonly Field[] = [
  { name: 'name', label: 'Name', kind: 'text', required: true, fixed: true, parse: parseName },
  { name: 'partitions', label: 'Partitions', kind: 'whole', required: true, initial: '6', min: 1, max: 1000 },
  { name: 'retention_ms', label: 'Retention', kind: 'duration', initial: '7 d' },
  { name: 'configs', label: 'Settings', kind: 'pairs' },
  { name: 'password', label: 'Password', kind: 'password', place: 'top' },
  labelsField(),
]
const object = { spec: { name: 'pay', partitions: 6, retention_ms: 604_800_000, configs: { 'segment.ms': '60000', 'compression.type': 'zstd' } }, metadata: { labels: { team: 'cards' } } }

test('a filled form becomes a body; empty optional fields are left out', () => {
  const read = readForm(fields, { ...initialTexts(fields), name: 'pay', labels: 'team=cards', password: ' p ' })
  expect(read).toEqual({ ok: true, body: { spec: { name: 'pay', partitions: 6, retention_ms: 604_800_000 }, metadata: { labels: { team: 'cards' } }, password: ' p ' } })
})

test('every wrong field is named', () => {
  const read = readForm(fields, { name: '', partitions: '0', retention_ms: 'soon' })
  expect(read.ok).toBe(false)
  if (!read.ok) expect(Object.keys(read.errors)).toEqual(['name', 'partitions', 'retention_ms'])
})

test('an edit without a change is an empty patch', () => {
  const texts = initialTexts(fields, object)
  const patch = patchOf(fields, texts, texts)
  expect(patch.ok && isEmptyPatch(patch.body)).toBe(true)
})

test('a patch holds only what changed, and null for what was removed', () => {
  const texts = initialTexts(fields, object)
  const patch = patchOf(fields, texts, { ...texts, partitions: '12', retention_ms: '', configs: 'segment.ms=70000', labels: 'team=risk\npii=yes' })
  expect(patch).toEqual({
    ok: true,
    body: {
      spec: { partitions: 12, retention_ms: null, configs: { 'segment.ms': '70000', 'compression.type': null } },
      metadata: { labels: { team: 'risk', pii: 'yes' } },
    },
  })
})

test('durations and sizes read back what they print', () => {
  for (const ms of [1, 1000, 90_000, 3_600_000, 604_800_000, -1]) expect(parseDuration(printDuration(ms))).toEqual({ ok: true, value: ms })
  for (const bytes of [1, 1024, 1_048_588, 1024 ** 3, -1]) expect(parseBytes(printBytes(bytes))).toEqual({ ok: true, value: bytes })
  expect(parseDuration('1 h 30 min')).toEqual({ ok: true, value: 5_400_000 })
  expect(parseDuration('7').ok).toBe(false)
  expect(parseBytes('1.5 GB')).toEqual({ ok: true, value: 1_500_000_000 })
  expect(parseBytes('')).toMatchObject({ ok: false })
})

test('numbers that cannot be kept exactly are refused', () => {
  expect(parseWhole('9007199254740993').ok).toBe(false)
  expect(parseWhole('1.5').ok).toBe(false)
  expect(parseWhole('1,000')).toEqual({ ok: true, value: 1000 })
})

test('names', () => {
  expect(parseName('Prod').ok).toBe(false)
  expect(parseName('-x').ok).toBe(false)
  expect(parseName('prod-1').ok).toBe(true)
  expect(parseTopicName('__consumer_offsets').ok).toBe(false)
  expect(parseTopicName('..').ok).toBe(false)
  expect(parseTopicName('payments.dead-letter').ok).toBe(true)
})

test('a pair given twice or without a key is refused', () => {
  expect(parsePairs('a=1\na=2').ok).toBe(false)
  expect(parsePairs('=1').ok).toBe(false)
  expect(parsePairs('a=b=c')).toEqual({ ok: true, value: { a: 'b=c' } })
})

test('what is wrong with the parts of a field is told by their places', () => {
  const parts: Field = { name: 'program', label: 'Program', kind: 'custom', parts: true, parse: () => ({ ok: false, error: 'See there', faults: [{ at: 'sources/0/topic', detail: 'Choose one' }] }) }
  expect(readForm([parts], { program: 'x' })).toEqual({ ok: false, errors: {}, faults: { program: [{ at: 'sources/0/topic', detail: 'Choose one' }] } })
})
