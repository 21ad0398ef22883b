// The engine as it is built, run as the worker runs it.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { run } from '../../src/engine/run.ts'
import type { Answer, Inspection, Request, Verdict } from '../../src/engine/types.ts'

// What a browser fetches once, when somebody edits or tries a contract.
const ENGINE_MAX = 1_300 * 1024

let bytes: Buffer
let engine: WebAssembly.Module
const asked = <T>(request: Request) => JSON.parse(run(engine, JSON.stringify(request))) as Answer<T>

beforeAll(async () => {
  bytes = readFileSync(new URL('../../src/engine/contract.wasm', import.meta.url))
  engine = await WebAssembly.compile(new Uint8Array(bytes))
})

const draft = {
  schemaType: 'JSON' as const,
  schema: JSON.stringify({ type: 'object', properties: { amount: { type: 'integer' } }, required: ['amount'] }),
  references: [],
  ruleSet: {
    domainRules: [{ name: 'positive', kind: 'CONDITION', mode: 'WRITE', type: 'CEL', expr: 'message.amount > 0' }],
  },
}

test('records are judged as at a gateway, and one run leaves nothing to the next', () => {
  const records = ['{"amount": 7}', '{"amount": -5}', '{"amount": "ü"}']
  for (let round = 0; round < 2; round += 1) {
    const answer = asked<Verdict[]>({ judge: { draft, records } })
    if (!('ok' in answer)) throw new Error(JSON.stringify(answer))
    expect(answer.ok.map((it) => it.valid)).toEqual([true, false, false])
    expect(answer.ok[1]!.violations[0]!.rule).toBe('positive')
    expect(answer.ok[2]!.violations[0]!.kind).toBe('SCHEMA')
  }
})

test('a draft that is not sound says where', () => {
  const answer = asked<Inspection>({ inspect: { ...draft, schema: '{\n  "type": ' } })
  if (!('ok' in answer)) throw new Error(JSON.stringify(answer))
  expect(answer.ok.ok).toBe(false)
  expect(answer.ok.problems[0]).toMatchObject({ source: 'SCHEMA', line: 2 })
})

test('it stays within what may be fetched', () => {
  expect(gzipSync(bytes).length).toBeLessThan(ENGINE_MAX)
})
