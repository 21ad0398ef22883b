import { expect, test } from 'vitest'
import { faultText, parseProgram, printProgram, readDraft, type Draft } from './program.ts'
import { EMPTY_SINK, EMPTY_SOURCE, EMPTY_SQL, eventTimeText, identifier, otherFaults, parseSql, selectCommand, selectPath, sqlDraft, statementFaults, tableFaults, withExample, withTopic, without, type SqlDraft, type SqlProgram, type TopicChoice } from './sql.ts'

const program = {
  kind: 'SQL', statement: 'SELECT 1', state: 'KEEP',
  sources: [
    { name: 'paid', topic: 'topic_1', start: 'LATEST', columns: [{ name: 'at', type: 'BIGINT' }], key: 'id', event_time: { column: 'at', unit: 'SECONDS', delay_ms: 900_000 } },
    { name: 'cards', topic: 'topic_2', start: 'EARLIEST', columns: [], event_time: { delay_ms: 5000 } },
  ],
  sinks: [{ name: 'busy', topic: 'topic_3', columns: [], key: ['card', 'hour'], mode: 'UPSERT' }],
}
const sqlOf = program as unknown as SqlProgram
const sql = (part: Partial<SqlDraft>): SqlDraft => ({ ...sqlDraft(program)!, ...part })
const edited = (change: (draft: Draft) => Draft) => parseProgram(JSON.stringify(change(readDraft(printProgram(program)))))
const topic = (name: string, promises = false): TopicChoice => ({ id: `topic_${name}`, name, label: name, promises })

test('a program in SQL survives the form, and JSON', () => {
  expect(parseProgram(printProgram(program))).toEqual({ ok: true, value: program })
  expect(edited((draft) => ({ ...draft, json: JSON.stringify(program) }))).toEqual({ ok: true, value: program })
  expect(edited((draft) => ({ ...draft, json: '[]' })).ok).toBe(false)
})

test('what was forgotten once is not forgotten again', () => {
  expect(sqlDraft({ ...program, state: 'FORGET' })?.state).toBe('KEEP')
})

test('what the form cannot show is JSON', () => {
  for (const strange of [{ ...program, engine: 'other' }, { ...program, kind: 'WASM' }, { ...program, sinks: [{ ...program.sinks[0], key: ['a,b'] }] }, { ...program, sources: [{ ...program.sources[0], event_time: { column: 'at', delay_ms: 1, zone: 'UTC' } }] }]) {
    expect(sqlDraft(strange)).toBeUndefined()
    const text = printProgram(strange)
    expect(readDraft(text).json).toContain('"statement"')
    expect(parseProgram(text)).toEqual({ ok: true, value: strange })
  }
})

test('another kind of program takes out what the one before had', () => {
  const action = edited((draft) => ({ ...draft, kind: 'ACTION', action: { ...draft.action, source: 'topic_1', sinks: [{ name: 'out', topic: 'topic_2', encoding: 'KEEP' }] } }))
  expect(action).toMatchObject({ ok: true, value: { kind: 'ACTION', statement: null, sources: null, state: null, source: { topic: 'topic_1' } } })
})

test('what is missing is said where it is', () => {
  const read = parseSql({ ...EMPTY_SQL, sources: [{ ...EMPTY_SOURCE, time: 'COLUMN', delay: 'unlimited' }], sinks: [{ ...EMPTY_SINK, topic: 'topic_1', columns: [{ name: 'a', type: '' }, { name: '', type: 'INT' }] }] })
  expect(read.ok ? [] : read.faults?.map((it) => it.at)).toEqual([
    'statement', 'sources/0/topic', 'sources/0/columns/0/name', 'sources/0/event_time/delay_ms', 'sources/0/event_time/column', 'sinks/0/columns/0/type', 'sinks/0/columns/1/name',
  ])
  const bare = parseSql(sql({ sinks: [{ ...EMPTY_SINK, topic: 'topic_1', columns: [] }] }))
  expect(bare.ok ? [] : bare.faults).toMatchObject([{ at: 'sinks/0/columns' }])
})

test('a topic gives its name to a table', () => {
  expect(['payments.dead-letter', '7days', 'order', 'payments'].map((it) => identifier(it))).toEqual(['payments_dead_letter', '_7days', 'order_table', 'payments'])
  expect(identifier('payments', ['payments', 'payments_2'])).toBe('payments_3')
  const draft = EMPTY_SQL
  const first = withTopic(draft.sources[0]!, undefined, topic('payments', true), draft)
  expect(first).toMatchObject({ topic: 'topic_payments', name: 'payments', promised: true })
  expect(withTopic(first, topic('payments', true), topic('cards'), { ...draft, sources: [first] })).toMatchObject({ name: 'cards', promised: false })
  expect(withTopic(first, topic('payments', true), topic('cards'), { ...draft, statement: 'SELECT * FROM payments' }).name).toBe('payments')
  expect(withTopic({ ...first, name: 'mine' }, topic('payments', true), topic('cards'), draft).name).toBe('mine')
})

test('the example is a program once topics are chosen, and keeps what was written', () => {
  const draft = withExample({ ...EMPTY_SQL, sources: [{ ...EMPTY_SOURCE, name: 'paid', topic: 'topic_1', promised: true }], sinks: [{ ...EMPTY_SINK, topic: 'topic_2' }] })
  expect(draft.statement).toContain('TABLE paid')
  expect(parseSql(draft)).toMatchObject({ ok: true, value: { sources: [{ name: 'paid', columns: [], event_time: { delay_ms: 5000 } }], sinks: [{ name: 'busy_cards', key: ['card'] }] } })
  expect(withExample(EMPTY_SQL).sources[0]).toMatchObject({ time: 'COLUMN', column: 'at', columns: [{ name: 'card' }, { name: 'at' }] })
})

test('faults have their places, and move with their rows', () => {
  const faults = [
    { at: 'statement', detail: 'There is no table `x` (line 2, column 7)' }, { at: 'statement', detail: 'It writes nothing' },
    { at: 'sources/1', detail: 'no contract' }, { at: 'sources/2/columns/1/type', detail: 'no type' }, { at: 'sources', detail: 'too many' },
  ]
  expect(statementFaults(faults)).toEqual([{ message: 'There is no table `x`', line: 2, column: 7 }, { message: 'It writes nothing' }])
  expect(tableFaults(faults, 'sources/1').map((it) => it.detail)).toEqual(['no contract'])
  expect(tableFaults(faults, 'sources/2')).toEqual([])
  expect(otherFaults(faults).map((it) => it.at)).toEqual(['sources'])
  expect(without(faults, 'sources', 1).map((it) => it.at)).toEqual(['statement', 'statement', 'sources/1/columns/1/type', 'sources'])
  expect(without(faults, 'sources/2/columns', 0).at(3)?.at).toBe('sources/2/columns/0/type')
  expect([faultText({ at: 'steps/1/filter', detail: 'No such field.' }), faultText({ at: '', detail: 'It is large.' })]).toEqual(['Step 2: No such field.', 'It is large.'])
})

test('in words', () => {
  expect([eventTimeText(undefined), eventTimeText({ delay_ms: 5000 }), eventTimeText({ column: 'at', unit: 'SECONDS', delay_ms: 900_000 })]).toEqual(['none', "the record's own, waits 5 s for late ones", 'at (seconds), waits 15 min for late ones'])
})

test('the command that asks a table is one word of JSON for the shell', () => {
  expect(selectPath('job_1')).toBe('/selects?job=job_1')
  const command = (name: string) => selectCommand('job_1', { ...sqlOf, sources: [{ ...sqlOf.sources[0]!, name }] })
  expect(command('paid')).toContain('-d \'{"job":"job_1","statement":"SELECT * FROM `paid` LIMIT 20"}\'')
  expect(command("it's `x`")).toContain(String.raw`FROM ${'`'}it'\''s ${'``'}x${'``'}${'`'} LIMIT`)
})
