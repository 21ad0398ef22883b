// A job's program between the form's text and the spec; and in words.
import type { Job } from '../../api/types.ts'
import { plural } from '../../ui/format.ts'
import type { Fault, Parsed } from '../../ui/form/parse.ts'
import { EMPTY_SQL, parseSql, sqlDraft, type SqlDraft } from './sql.ts'

export type Program = Job['spec']['program']
export type ActionProgram = Extract<Program, { kind: 'ACTION' }>
export type Encoding = NonNullable<ActionProgram['sinks'][number]['encoding']>
export type Kind = Program['kind']

export const ENCODINGS: readonly { value: Encoding; label: string }[] = [
  { value: 'KEEP', label: 'as it came' },
  { value: 'JSON', label: 'JSON' },
  { value: 'CONTRACT', label: "the sink's contract" },
]

/** The texts of a program without code. */
export interface ActionDraft {
  source: string
  start: 'EARLIEST' | 'LATEST'
  steps: string
  sinks: readonly { name: string; topic: string; encoding: Encoding }[]
  deadLetter: string
  nulls: 'PASS' | 'DROP'
}

/** The texts of the program's editor: of each kind, so that whoever looks at the other loses nothing. */
export interface Draft {
  kind: Kind
  action: ActionDraft
  sql: SqlDraft
  /** The whole program as JSON, instead of the form. */
  json?: string
  /** The kind and the members of the program that stands. */
  held?: { kind: string; members: readonly string[] }
}

const EMPTY_ACTION: ActionDraft = { source: '', start: 'EARLIEST', steps: '[\n  {"filter": {"where": "true"}}\n]', sinks: [{ name: 'out', topic: '', encoding: 'KEEP' }], deadLetter: '', nulls: 'PASS' }
const EMPTY: Draft = { kind: 'ACTION', action: EMPTY_ACTION, sql: EMPTY_SQL }

export const readDraft = (text: string): Draft => (text === '' ? EMPTY : (JSON.parse(text) as Draft))

export function printProgram(value: unknown): string {
  const program = value as Program
  const held = { kind: program.kind, members: Object.keys(program) }
  if (program.kind === 'ACTION') return JSON.stringify({ ...EMPTY, action: actionDraft(program), held } satisfies Draft)
  const sql = sqlDraft(program)
  return JSON.stringify((sql ? { ...EMPTY, kind: 'SQL', sql, held } : { ...EMPTY, kind: 'SQL', json: jsonText(program), held }) satisfies Draft)
}

export const jsonText = (program: unknown) => JSON.stringify(program, null, 2)

function actionDraft({ source, steps, sinks, dead_letter, null_values }: ActionProgram): ActionDraft {
  return {
    source: source.topic, start: source.start ?? 'EARLIEST', steps: stepsText(steps),
    sinks: sinks.map(({ name, topic, encoding }) => ({ name, topic, encoding: encoding ?? 'KEEP' })),
    deadLetter: dead_letter ?? '', nulls: null_values ?? 'PASS',
  }
}

/** One step a line. */
export function stepsText(steps: readonly unknown[]): string {
  return steps.length === 0 ? '[]' : `[\n${steps.map((step) => `  ${JSON.stringify(step)}`).join(',\n')}\n]`
}

export function parseProgram(text: string): Parsed<Record<string, unknown>> {
  const { kind, action, sql, json, held } = readDraft(text)
  const read = kind === 'ACTION' ? parseAction(action) : json === undefined ? parseSql(sql) : parseJson(json)
  if (!read.ok) return read
  // A change is merged into what stands: what the program has no more is taken out by name.
  const gone = held?.members.filter((member) => !(member in read.value)).map((member) => [member, null] as const)
  return { ok: true, value: { ...read.value, ...Object.fromEntries(gone ?? []) } }
}

function parseAction(draft: ActionDraft): Parsed<Record<string, unknown>> {
  let steps: unknown
  try {
    steps = JSON.parse(draft.steps.trim() === '' ? '[]' : draft.steps)
  } catch (error) {
    return { ok: false, error: `The steps are no JSON: ${error instanceof Error ? error.message : 'unreadable'}` }
  }
  if (!Array.isArray(steps)) return { ok: false, error: 'The steps are a list: […]' }
  if (draft.source === '') return { ok: false, error: 'Choose the topic that is read' }
  if (draft.sinks.some((sink) => sink.topic === '')) return { ok: false, error: 'Choose the topic of every sink' }
  return {
    ok: true,
    // A null takes the dead-letter topic out of an existing program.
    value: { kind: 'ACTION', source: { topic: draft.source, start: draft.start }, steps, sinks: draft.sinks, dead_letter: draft.deadLetter === '' ? null : draft.deadLetter, null_values: draft.nulls },
  }
}

export function parseJson(text: string): Parsed<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ok: true, value: value as Record<string, unknown> }
    return { ok: false, error: 'A program is an object: {…}' }
  } catch (error) {
    return { ok: false, error: `This is no JSON: ${error instanceof Error ? error.message : 'unreadable'}` }
  }
}

/** In a few words; clients meet kinds that they do not know. */
export function programText(program: Program): string {
  return program.kind === 'ACTION' ? plural(program.steps.length, 'step') : program.kind
}

/** Texts of a program that are compared with those of another, by their titles. */
export function comparedTexts(program: Program): Record<string, string> {
  switch (program.kind) {
    case 'SQL': {
      const { statement, sources, sinks, state } = program
      return { Statement: statement, Tables: jsonText({ sources, sinks, state }) }
    }
    case 'ACTION': {
      const { steps, source, sinks, dead_letter, null_values } = program
      return { Steps: stepsText(steps), 'Source and sinks': jsonText({ source, sinks, dead_letter, null_values }) }
    }
    default: return { Program: jsonText(program) }
  }
}

/** What is wrong with a program without code, in a sentence that says where. */
export function faultText({ at, detail }: Fault): string {
  const [part = '', number] = at.split('/')
  const noun = { steps: 'Step', sinks: 'Sink', sources: 'Source' }[part]
  return noun && number !== undefined ? `${noun} ${Number(number) + 1}: ${detail}` : detail
}
