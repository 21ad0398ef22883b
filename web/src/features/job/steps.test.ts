import { expect, test } from 'vitest'
import { newRow, rowsOf, stepOf } from './steps.ts'

const steps = [
  { filter: { where: 'message.amount > 100' } },
  { project: { fields: ['id', 'customer.city'] } },
  { rename: { fields: { id: 'payment_id' } } },
  { mask: { fields: ['card'], how: { KEEP_LAST: { n: 4 } } } },
  { mask: { tags: ['PII'], how: { HASH: { key: 'pepper' } } } },
  { mask: { fields: ['n'], how: 'REDACT' } },
  { cast: { fields: { amount: 'DOUBLE' } } },
  { set: { fields: { same: 'message.a == message.b' } } },
  { flatten: {} },
  { route: { rules: [{ where: 'message.amount >= 1000', to: 'high' }], otherwise: 'rest' } },
  { deduplicate: { by: ['id'], window_ms: 60000 } },
  { validate: {} },
  { call: { url: 'https://models.example/v1', set: { score: 'response.score' }, retries: 3, secret: { reference: 'scores-key' } } },
]

test('steps survive the form, with what it does not show', () => {
  const rows = rowsOf(JSON.stringify(steps))
  expect(rows?.map(stepOf)).toEqual(steps)
  expect(rows?.at(-1)?.rest).toEqual({ secret: { reference: 'scores-key' } })
})

test('what the form cannot show stays JSON', () => {
  for (const step of ['[{', '{}', '[{"teleport":{}}]', '[{"filter":{},"drop":{}}]', '[{"filter":{"where":1}}]', '[{"project":{"fields":["a,b"]}}]', '[{"set":{"fields":{"a":"1\\n+ 2"}}}]', '[{"mask":{"how":{"KEEP_FIRST":{"n":1}}}}]']) {
    expect(rowsOf(step), step).toBeUndefined()
  }
  expect(rowsOf('')).toEqual([])
})

test('what a text cannot be is sent as it stands, and nothing is sent for nothing', () => {
  const row = { ...newRow('deduplicate'), texts: { by: ' id , ,card ', window_ms: 'soon', keys_max: ' ' } }
  expect(stepOf(row)).toEqual({ deduplicate: { by: ['id', 'card'], window_ms: 'soon' } })
  expect(stepOf({ ...newRow('mask'), texts: { how: 'KEEP_LAST' } })).toEqual({ mask: { how: { KEEP_LAST: { n: '' } } } })
})
