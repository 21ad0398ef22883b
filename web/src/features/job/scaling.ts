// How many workers a job has, who decides it, and by what policy: read from a form, and said in words.
import type { Job } from '../../api/types.ts'
import { formatCount, formatDuration, words } from '../../ui/format.ts'
import type { Parsed } from '../../ui/form/parse.ts'

type Scaling = NonNullable<Job['spec']['scaling']>
type Policy = NonNullable<Scaling['policy']>
type Mode = '' | NonNullable<Policy['mode']>

/** What the form holds: workers and the policy as texts. */
export interface ScalingDraft {
  workers: string
  mode: Mode
  /** Everything of the policy but the mode, as JSON; empty: as the agent has it for all jobs. */
  policy: string
}

const FIELDS = ['utilization_target', 'utilization_boundary', 'catch_up_duration_ms', 'stabilization_interval_ms', 'scale_down_interval_ms', 'scale_up_max_factor', 'scale_down_max_factor', 'excluded_periods'] as const

export function readScaling(text: string): ScalingDraft {
  return { workers: '', mode: '', policy: '', ...(text === '' ? {} : (JSON.parse(text) as Partial<ScalingDraft>)) }
}

/** `3`, or `1 to 4`. */
export function parseWorkers(text: string): Parsed<{ min_workers: number; max_workers: number }> {
  const [, least, most = least] = /^\s*(\d{1,3})(?:\s*(?:to|-|–)\s*(\d{1,3}))?\s*$/.exec(text) ?? []
  return least === undefined ? { ok: false, error: 'Workers: a number, or two: 1 to 4' } : { ok: true, value: { min_workers: Number(least), max_workers: Number(most) } }
}

/** Fields that the form does not name are taken away: a patch would keep them. */
export function parseScaling(text: string): Parsed {
  const { workers, mode, policy } = readScaling(text)
  const counts = parseWorkers(workers)
  if (!counts.ok) return counts
  if (mode === '' && policy.trim() === '') return { ok: true, value: { ...counts.value, policy: null } }
  let held: unknown
  try {
    held = policy.trim() === '' ? {} : JSON.parse(policy)
  } catch {
    held = undefined
  }
  if (typeof held !== 'object' || held === null || Array.isArray(held)) return { ok: false, error: 'The policy is no JSON object, such as {"utilization_target": 0.5}' }
  const unknown = Object.keys(held).find((name) => !FIELDS.some((it) => it === name))
  if (unknown !== undefined) return { ok: false, error: `A policy has no field ${unknown}: ${FIELDS.join(', ')}` }
  const none = Object.fromEntries(FIELDS.map((name) => [name, null]))
  return { ok: true, value: { ...counts.value, policy: { ...none, ...held, mode: mode === '' ? null : mode } } }
}

export function printScaling(value: unknown): string {
  const { min_workers = 1, max_workers = 1, policy } = value as Scaling
  const { mode = '', ...rest } = policy ?? {}
  const draft: ScalingDraft = {
    workers: min_workers === max_workers ? String(min_workers) : `${min_workers} to ${max_workers}`,
    mode, policy: Object.keys(rest).length > 0 ? JSON.stringify(rest, null, 1) : '',
  }
  return JSON.stringify(draft)
}

/** Who decides how many workers there are. */
export function parallelismText({ spec, status }: Pick<Job, 'spec' | 'status'>): string {
  const { min_workers = 1, max_workers = 1 } = spec.scaling ?? {}
  const { owner, mode } = status.parallelism
  if (owner === 'FIXED') return `nobody: ${formatCount(min_workers)} are wished, no more and no less`
  if (owner !== 'AUTOSCALER') return words(owner)
  if (mode === 'MONITORING') return 'the autoscaler only advises: it changes nothing, and its advice is among the decisions'
  return `the autoscaler, between ${formatCount(min_workers)} and ${formatCount(max_workers)}`
}

const DAYS = ['', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
const percent = (share: number) => `${Math.round(share * 100)} %`
const clock = (minute: number) => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`

/** What a job says of its own scaling; empty where it says nothing. */
export function policyText(policy: Scaling['policy']): string {
  if (!policy) return ''
  const { utilization_target, utilization_boundary, catch_up_duration_ms, stabilization_interval_ms, scale_down_interval_ms, scale_up_max_factor, scale_down_max_factor, excluded_periods = [] } = policy
  const parts = [
    utilization_target !== undefined && `workers ${percent(utilization_target)} busy`,
    utilization_boundary !== undefined && `${percent(utilization_boundary)} more or less changes nothing`,
    catch_up_duration_ms === 0 && 'a backlog adds no workers',
    !!catch_up_duration_ms && `a backlog done within ${formatDuration(catch_up_duration_ms)}`,
    stabilization_interval_ms !== undefined && `rests ${formatDuration(stabilization_interval_ms)} after a change`,
    scale_down_interval_ms !== undefined && `fewer only after ${formatDuration(scale_down_interval_ms)} without need`,
    scale_up_max_factor !== undefined && `adds ${scale_up_max_factor} times as many at most`,
    scale_down_max_factor !== undefined && `takes away ${percent(scale_down_max_factor)} at most`,
    ...excluded_periods.map(({ days = [], from_minute, to_minute }) => `nothing changes ${days.length > 0 ? days.map((day) => DAYS[day] ?? day).join(', ') : 'daily'} ${clock(from_minute)}–${clock(to_minute)} UTC`),
  ]
  return parts.filter(Boolean).join('; ')
}
