// What a job says, in words; and its program as the form has it.
import type { Job, JobScalingDecision } from '../../api/types.ts'
import { formatCount, formatDuration, plural } from '../../ui/format.ts'
import type { Parsed } from '../../ui/form/parse.ts'

export type Program = Job['spec']['program']
export type Encoding = NonNullable<Program['sinks'][number]['encoding']>
type Progress = NonNullable<Job['status']['progress']>

export const ENCODINGS: readonly { value: Encoding; label: string }[] = [
  { value: 'KEEP', label: 'as it came' },
  { value: 'JSON', label: 'JSON' },
  { value: 'CONTRACT', label: "the sink's contract" },
]

/** The texts of the program's editor. */
export interface Draft {
  source: string
  start: 'EARLIEST' | 'LATEST'
  steps: string
  sinks: readonly { name: string; topic: string; encoding: Encoding }[]
  deadLetter: string
  nulls: 'PASS' | 'DROP'
}

const EMPTY: Draft = { source: '', start: 'EARLIEST', steps: '[\n  {"filter": {"where": "true"}}\n]', sinks: [{ name: 'out', topic: '', encoding: 'KEEP' }], deadLetter: '', nulls: 'PASS' }

export const readDraft = (text: string): Draft => (text === '' ? EMPTY : (JSON.parse(text) as Draft))

export function printProgram(value: unknown): string {
  const { source, steps, sinks, dead_letter, null_values } = value as Program
  const draft: Draft = {
    source: source.topic, start: source.start ?? 'EARLIEST', steps: stepsText(steps),
    sinks: sinks.map(({ name, topic, encoding }) => ({ name: name ?? 'out', topic, encoding: encoding ?? 'KEEP' })),
    deadLetter: dead_letter ?? '', nulls: null_values ?? 'PASS',
  }
  return JSON.stringify(draft)
}

/** One step a line. */
export function stepsText(steps: readonly unknown[]): string {
  return steps.length === 0 ? '[]' : `[\n${steps.map((step) => `  ${JSON.stringify(step)}`).join(',\n')}\n]`
}

export function parseProgram(text: string): Parsed<Record<string, unknown>> {
  const draft = readDraft(text)
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

export function parseSuspend(text: string): Parsed<Record<string, number>> {
  const seconds = Number(text)
  return Number.isInteger(seconds) && seconds >= 10 && seconds <= 86_400
    ? { ok: true, value: { idle_after_seconds: seconds } }
    : { ok: false, error: 'A whole number of seconds, 10 to 86400' }
}

export function lagText(progress: Progress | null | undefined): string {
  return progress?.lag === undefined || progress.lag === null ? 'unknown' : plural(progress.lag, 'record')
}

export function wishText({ desired_state, auto_suspend }: Pick<Job['spec'], 'desired_state' | 'auto_suspend'>): string {
  if (desired_state === 'STOPPED') return 'stopped'
  if (desired_state !== 'AUTO_SUSPEND') return 'running'
  return `running, asleep after ${formatDuration((auto_suspend?.idle_after_seconds ?? 300) * 1000)} without a record`
}

export function workersText({ spec, status }: Pick<Job, 'spec' | 'status'>): string {
  const { min_workers = 1, max_workers = 1 } = spec.scaling ?? {}
  const wished = min_workers === max_workers ? formatCount(min_workers) : `${formatCount(min_workers)} to ${formatCount(max_workers)}`
  return status.progress ? `${formatCount(status.progress.workers)} now, ${wished} wished` : wished
}

/** What became of the workers by a decision. */
export function changeText({ outcome, workers, workers_wanted, workers_given }: Pick<JobScalingDecision, 'outcome' | 'workers' | 'workers_wanted' | 'workers_given'>): string {
  if (outcome === 'SUSPEND') return 'fell asleep'
  if (outcome === 'WAKE') return 'woke'
  if (outcome === 'SCALE') return `${workers} → ${workers_given}`
  return workers_wanted === workers ? formatCount(workers) : `${workers}, not ${workers_wanted}`
}

export const rateText = (rate: number | null | undefined): string => (rate === undefined || rate === null ? '–' : `${formatCount(Math.round(rate))}/s`)
