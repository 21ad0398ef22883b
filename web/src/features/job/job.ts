// What a job says, in words.
import type { Job, JobScalingDecision } from '../../api/types.ts'
import { formatCount, formatDuration, plural } from '../../ui/format.ts'
import type { Parsed } from '../../ui/form/parse.ts'

type Progress = NonNullable<Job['status']['progress']>

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
  if (outcome === 'RAISE_MEMORY') return `${workers}, with more memory`
  if (outcome === 'SCALE') return `${workers} → ${workers_given}`
  return workers_wanted === workers ? formatCount(workers) : `${workers}, not ${workers_wanted}`
}

export const rateText = (rate: number | null | undefined): string => (rate === undefined || rate === null ? '–' : `${formatCount(Math.round(rate))}/s`)
