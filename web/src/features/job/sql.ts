// A program in SQL as the form has it: a statement, and the tables that it sees.
import { parseDuration, printDuration, type Fault, type Parsed } from '../../ui/form/parse.ts'
import type { Marked } from '../../ui/code-editor.tsx'
import type { Program } from './program.ts'

export type SqlProgram = Extract<Program, { kind: 'SQL' }>
export type SqlSource = SqlProgram['sources'][number]
export type SqlSink = SqlProgram['sinks'][number]
type EventTime = NonNullable<SqlSource['event_time']>

export interface TableDraft {
  name: string
  topic: string
  /** Columns as the topic's contract says. */
  promised: boolean
  columns: readonly { name: string; type: string }[]
}

export interface SourceDraft extends TableDraft {
  start: 'EARLIEST' | 'LATEST'
  key: string
  time: 'NONE' | 'RECORD' | 'COLUMN'
  column: string
  unit: 'MILLISECONDS' | 'SECONDS'
  delay: string
}

export interface SinkDraft extends TableDraft {
  /** Names with commas between them. */
  key: string
  mode: 'APPEND' | 'UPSERT'
}

export interface SqlDraft {
  statement: string
  sources: readonly SourceDraft[]
  sinks: readonly SinkDraft[]
  state: 'KEEP' | 'FORGET'
}

/** What the form needs to know of a topic. */
export interface TopicChoice {
  id: string
  name: string
  label: string
  /** Its contract can say the columns. */
  promises: boolean
}

export const TYPES = ['STRING', 'BIGINT', 'INT', 'DOUBLE', 'BOOLEAN', 'DECIMAL(18, 2)', 'TIMESTAMP(3)', 'TIMESTAMP_LTZ(3)', 'DATE', 'BYTES', 'ARRAY<STRING>', 'ROW<name STRING>']

const DELAY_DEFAULT_MS = 5_000
const DELAY_MAX_MS = 86_400_000
const BLANK = { name: '', type: '' }
const EMPTY_TABLE: TableDraft = { name: '', topic: '', promised: false, columns: [BLANK] }
export const EMPTY_SOURCE: SourceDraft = { ...EMPTY_TABLE, start: 'EARLIEST', key: '', time: 'NONE', column: '', unit: 'MILLISECONDS', delay: printDuration(DELAY_DEFAULT_MS) }
export const EMPTY_SINK: SinkDraft = { ...EMPTY_TABLE, key: '', mode: 'APPEND' }
export const EMPTY_SQL: SqlDraft = { statement: '', sources: [EMPTY_SOURCE], sinks: [EMPTY_SINK], state: 'KEEP' }

/** The program in the form; undefined when the form cannot show all of it. */
export function sqlDraft(program: unknown): SqlDraft | undefined {
  const held = program as Partial<SqlProgram>
  if (held.kind !== 'SQL' || typeof held.statement !== 'string' || !Array.isArray(held.sources) || !Array.isArray(held.sinks)) return undefined
  const known = only(held, ['kind', 'statement', 'sources', 'sinks', 'state'])
    && held.sources.every((it) => only(it, ['name', 'topic', 'start', 'columns', 'key', 'event_time']) && only(it.event_time ?? {}, ['column', 'unit', 'delay_ms']) && (it.columns ?? []).every(isColumn))
    && held.sinks.every((it) => only(it, ['name', 'topic', 'columns', 'key', 'mode']) && (it.columns ?? []).every(isColumn) && (it.key ?? []).every((name) => !name.includes(',')))
  if (!known) return undefined
  // What was forgotten once is not to be forgotten with each version after it: whoever wants that says so again.
  return { statement: held.statement, sources: held.sources.map(sourceDraft), sinks: held.sinks.map(sinkDraft), state: 'KEEP' }
}

const only = (value: object, names: readonly string[]) => typeof value === 'object' && value !== null && Object.keys(value).every((name) => names.includes(name))
const isColumn = (value: { name: string; type: string }) => only(value, ['name', 'type']) && typeof value.name === 'string' && typeof value.type === 'string'
const tableDraft = ({ name, topic, columns = [] }: SqlSource | SqlSink): TableDraft => ({ name, topic, promised: columns.length === 0, columns: columns.length === 0 ? [BLANK] : columns })

function sourceDraft(source: SqlSource): SourceDraft {
  const { start, key, event_time: time } = source
  return {
    ...tableDraft(source), start: start ?? 'EARLIEST', key: key ?? '',
    time: !time ? 'NONE' : time.column === undefined ? 'RECORD' : 'COLUMN',
    column: time?.column ?? '', unit: time?.unit ?? 'MILLISECONDS', delay: printDuration(time?.delay_ms ?? DELAY_DEFAULT_MS),
  }
}

const sinkDraft = (sink: SqlSink): SinkDraft => ({ ...tableDraft(sink), key: (sink.key ?? []).join(', '), mode: sink.mode ?? 'APPEND' })

export const names = (text: string): string[] => text.split(',').map((it) => it.trim()).filter((it) => it !== '')

/** The program, and what is wrong with it that needs no control plane to be seen. */
export function parseSql(draft: SqlDraft): Parsed<Record<string, unknown>> {
  const faults: Fault[] = []
  const need = (holds: boolean, at: string, detail: string) => {
    if (!holds) faults.push({ at, detail })
  }
  const table = (it: TableDraft, at: string) => {
    need(it.topic !== '', `${at}/topic`, 'Choose a topic')
    if (it.promised) return []
    need(it.columns.length > 0, `${at}/columns`, 'Write a column, or take them from the contract')
    it.columns.forEach((column, row) => need(column.name.trim() !== '' && column.type.trim() !== '', `${at}/columns/${row}/${column.name.trim() === '' ? 'name' : 'type'}`, 'A column has a name and a type'))
    return it.columns.map(({ name, type }) => ({ name: name.trim(), type: type.trim() }))
  }
  const eventTime = (it: SourceDraft, at: string): EventTime => {
    const delay = parseDuration(it.delay)
    const fits = delay.ok && delay.value >= 0 && delay.value <= DELAY_MAX_MS
    need(fits, `${at}/delay_ms`, 'A time up to a day, such as 5 s or 15 min')
    need(it.time !== 'COLUMN' || it.column.trim() !== '', `${at}/column`, 'Name the column')
    const delay_ms = fits ? delay.value : DELAY_DEFAULT_MS
    return it.time === 'COLUMN' ? { column: it.column.trim(), unit: it.unit, delay_ms } : { delay_ms }
  }
  need(draft.statement.trim() !== '', 'statement', 'Write a statement')
  const sources = draft.sources.map((it, number) => {
    const at = `sources/${number}`
    return {
      name: it.name.trim(), topic: it.topic, start: it.start, columns: table(it, at),
      ...(it.key.trim() !== '' && { key: it.key.trim() }), ...(it.time !== 'NONE' && { event_time: eventTime(it, `${at}/event_time`) }),
    }
  })
  const sinks = draft.sinks.map((it, number) => ({ name: it.name.trim(), topic: it.topic, columns: table(it, `sinks/${number}`), key: names(it.key), mode: it.mode }))
  if (faults.length > 0) return { ok: false, error: 'What is wrong is said at its place', faults }
  return { ok: true, value: { kind: 'SQL', statement: draft.statement, sources, sinks, state: draft.state } }
}

/** Words of SQL that cannot be a table's name without quotes, as far as topics are likely to be called so. */
const RESERVED = /^(case|date|day|end|group|hour|language|method|month|order|position|row|rows|start|table|time|timestamp|user|value|values|year)$/i

/** A topic's name as a table's. */
export function identifier(topic: string, taken: readonly string[] = []): string {
  const plain = topic.replaceAll(/[^A-Za-z0-9_]+/g, '_').replace(/^(?=\d)/, '_').slice(0, 56)
  const name = RESERVED.test(plain) ? `${plain}_table` : plain
  if (!taken.includes(name)) return name
  let number = 2
  while (taken.includes(`${name}_${number}`)) number += 1
  return `${name}_${number}`
}

/** A table with another topic: its name follows, unless somebody chose one or the statement uses it. */
export function withTopic<T extends TableDraft>(table: T, before: TopicChoice | undefined, topic: TopicChoice | undefined, draft: SqlDraft): T {
  const others = [...draft.sources, ...draft.sinks].filter((it) => it !== (table as TableDraft)).map((it) => it.name)
  const free = table.name === '' || (before !== undefined && table.name.replace(/_\d+$/, '') === identifier(before.name) && !new RegExp(`\\b${table.name}\\b`).test(draft.statement))
  const written = table.columns.some((it) => it.name !== '' || it.type !== '')
  return { ...table, topic: topic?.id ?? '', name: topic && free ? identifier(topic.name, others) : table.name, promised: topic && !written ? topic.promises : table.promised }
}

/** A program to begin with, over the tables that are there; what is written stays. */
export function withExample(draft: SqlDraft): SqlDraft {
  const [source = EMPTY_SOURCE, ...sources] = draft.sources
  const [sink = EMPTY_SINK, ...sinks] = draft.sinks
  const reads: SourceDraft = { ...withColumns(source, 'payments', [['card', 'STRING'], ['at', 'BIGINT']]), ...(source.time === 'NONE' && (source.promised ? { time: 'RECORD' } : { time: 'COLUMN', column: 'at' })) }
  const writes: SinkDraft = { ...withColumns(sink, 'busy_cards', [['card', 'STRING'], ['window_start', 'TIMESTAMP(3)'], ['payments', 'BIGINT']]), key: sink.key === '' ? 'card' : sink.key }
  const statement = [
    '-- Cards with more than ten payments in an hour.',
    `INSERT INTO ${writes.name}`,
    'SELECT card, window_start, COUNT(*) AS payments',
    `FROM TABLE(TUMBLE(TABLE ${reads.name}, DESCRIPTOR(event_time), INTERVAL '1' HOUR))`,
    'GROUP BY card, window_start, window_end',
    'HAVING COUNT(*) > 10',
  ].join('\n')
  return { ...draft, statement, sources: [reads, ...sources], sinks: [writes, ...sinks] }
}

function withColumns<T extends TableDraft>(table: T, name: string, columns: readonly (readonly [string, string])[]): T {
  const bare = !table.promised && table.columns.every((it) => it.name === '' && it.type === '')
  return { ...table, name: table.name || name, columns: bare ? columns.map(([column, type]) => ({ name: column, type })) : table.columns }
}

/** What is wrong with the statement; the place stands at the end of the sentence. */
export function statementFaults(faults: readonly Fault[]): Marked[] {
  return faults.filter(({ at }) => at === 'statement').map(({ detail }) => {
    const [, message, line, column] = /^(.*) \(line (\d+), column (\d+)\)$/s.exec(detail) ?? []
    return message === undefined ? { message: detail } : { message, line: Number(line), column: Number(column) }
  })
}

const CONTROLS = /^(sources|sinks)\/\d+\/(name|topic|start|key|mode|columns|event_time|event_time\/(column|unit|delay_ms)|columns\/\d+\/(name|type))$/

/** Faults of a table that belong to none of its controls. */
export const tableFaults = (faults: readonly Fault[], at: string) => faults.filter((it) => (it.at === at || it.at.startsWith(`${at}/`)) && !CONTROLS.test(it.at))
/** Faults that belong to neither the statement nor a table. */
export const otherFaults = (faults: readonly Fault[]) => faults.filter((it) => it.at !== 'statement' && !/^(sources|sinks)\/\d/.test(it.at))

/** What is left when a row of a list is taken away: its faults go with it, those of rows behind it move up. */
export function without(faults: readonly Fault[], list: string, row: number): Fault[] {
  return faults.flatMap((fault) => {
    if (!fault.at.startsWith(`${list}/`)) return [fault]
    const [number = '', ...rest] = fault.at.slice(list.length + 1).split('/')
    if (Number(number) === row) return []
    return [{ ...fault, at: [list, Number(number) > row ? Number(number) - 1 : number, ...rest].join('/') }]
  })
}

export function eventTimeText(time: EventTime | undefined): string {
  if (!time) return 'none'
  const waits = `waits ${printDuration(time.delay_ms)} for late ones`
  if (time.column === undefined) return `the record's own, ${waits}`
  return `${time.column}${time.unit === 'SECONDS' ? ' (seconds)' : ''}, ${waits}`
}

/** What workers of a job in SQL are. */
export const SUBTASKS = 'Of a job in SQL they are the subtasks of each vertex: two of them share a compute unit, and Flink itself takes one of the pool’s.'

/** The page of the agent's endpoint inside on which a job's tables are asked. */
export function selectPath(job: string): string {
  return `/selects?job=${encodeURIComponent(job)}`
}

/** The same question for a shell. What stands in it is quoted twice: for JSON, and for the shell. */
export function selectCommand(job: string, program: SqlProgram): string {
  const table = program.sources[0]?.name ?? ''
  const asked = JSON.stringify({ job, statement: `SELECT * FROM \`${table.replaceAll('`', '``')}\` LIMIT 20` })
  return [
    'curl --cacert $state/authority/ca.pem -H "Authorization: Bearer $(cat $state/inside-token)" \\',
    `  $agent/v1/job-selects -d '${asked.replaceAll("'", String.raw`'\''`)}'`,
  ].join('\n')
}
