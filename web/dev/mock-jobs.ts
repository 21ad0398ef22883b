// Compute pools and jobs of the mock, and the versions of one.
import type { MockObject, Store } from './mock-store.ts'

type Put = (collection: string, spec: Record<string, unknown>, status?: Record<string, unknown>, tenant?: string, minutes?: number, labels?: object) => MockObject

const PROGRESS = {
  version: 3, workers: 2, units: 2, queue_place: null, restarts: 1, records_in: 1_284_113, records_out: 91_205, records_dropped: 1_192_894, records_dead: 14, lag: 318,
  watermark_at: new Date(Date.now() - 4_000).toISOString(), suspended_at: null, offsets: [{ partition: 0, offset: 107_009 }],
  failures: [{ code: 'EXPRESSION', step: 1, count: 12 }, { code: 'DECODE', step: null, count: 2 }], reported_at: new Date().toISOString(),
}

const [SCALED, FIXED] = [{ owner: 'AUTOSCALER', mode: 'ACTIVE' }, { owner: 'FIXED' }]
const RESETS = new Date(Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth() + 1)).toISOString()

export function seedJobs(put: Put, store: Store, plane: string, cluster: string, account: string, tenant: string): void {
  const topic = (name: string) => store.list('topics', tenant).find((t) => t.spec.name === name)?.id
  put('compute-pools', { data_plane: plane, name: 'windows', max_units: 2 }, { units_used: 2, jobs: 1, unit_hours_this_month: 211.4 }, tenant, 45)
  const pool = put('compute-pools', { data_plane: plane, name: 'steady', max_units: 4, budget: { unit_hours_per_month: 1200, warn_at_percent: 80 } }, { units_used: 2, jobs: 2, unit_hours_this_month: 1027.25, budget: { level: 'WARNED', used_percent: 85.6, resets_at: RESETS } }, tenant, 80).id
  const base = { cluster, compute_pool: pool, service_account: account, description: '', desired_state: 'RUNNING', scaling: { min_workers: 1, max_workers: 2 }, priority: 5, deletion_protection: false }
  const program = {
    kind: 'ACTION', source: { topic: topic('payments'), start: 'EARLIEST' },
    steps: [{ filter: { where: 'message.risk_score > 0.8' } }, { mask: { fields: ['card'], how: { KEEP_LAST: { n: 4 } } } }],
    sinks: [{ name: 'out', topic: topic('high-risk-payments'), encoding: 'KEEP' }], dead_letter: topic('payments.dead-letter'), null_values: 'PASS',
  }
  const policy = { utilization_target: 0.5, catch_up_duration_ms: 120_000, excluded_periods: [{ days: [6, 7], from_minute: 0, to_minute: 360 }] }
  put('jobs', { ...base, name: 'high-risk', program, scaling: { min_workers: 1, max_workers: 4, policy }, description: 'What the risk desk looks at' }, { parallelism: SCALED, phase: 'RUNNING', latest_version: 3, progress: PROGRESS }, tenant, 70, { team: 'risk' })
  const sql = {
    kind: 'SQL', statement: STATEMENT, state: 'KEEP',
    sources: [{ name: 'paid', topic: topic('payments'), start: 'EARLIEST', columns: [{ name: 'card', type: 'STRING' }, { name: 'at', type: 'BIGINT' }], event_time: { column: 'at', unit: 'MILLISECONDS', delay_ms: 900_000 } }],
    sinks: [{ name: 'busy', topic: topic('busy-cards'), columns: [{ name: 'card', type: 'STRING' }, { name: 'window_start', type: 'TIMESTAMP(3)' }, { name: 'payments', type: 'BIGINT' }], key: ['card'], mode: 'APPEND' }],
  }
  const fails = { parallelism: FIXED, phase: 'DEGRADED', reason: 'WORKER_FAILING', message: 'Flink begins it again every second: the class of the failure is among what went wrong.', latest_version: 2, progress: SQL_PROGRESS }
  put('jobs', { ...base, name: 'busy-cards', program: sql, scaling: { min_workers: 2, max_workers: 2 }, description: 'Cards with more than ten payments in an hour' }, fails, tenant, 40)
  const waits = { parallelism: FIXED, phase: 'PENDING', reason: 'POOL_EXHAUSTED', message: 'The compute pool has no room: the job waits for its turn. Raise max_units, or stop another job.', latest_version: 1 }
  put('jobs', { ...base, name: 'suspects', scaling: { min_workers: 3, max_workers: 3 }, program: { ...program, sinks: [{ name: 'out', topic: topic('suspected-fraud'), encoding: 'JSON' }] } }, waits, tenant, 12)
}

const STATEMENT = `-- Payments come to all partitions at all times.
SET 'table.exec.source.idle-timeout' = '0 s';
SELECT card, window_start, COUNT(*) AS payments
FROM TABLE(TUMBLE(TABLE paid, DESCRIPTOR(event_time), INTERVAL '1' HOUR))
GROUP BY card, window_start, window_end
HAVING COUNT(*) > 10`
const SQL_PROGRESS = {
  ...PROGRESS, version: 2, workers: 2, units: 1, records_in: 402_113, records_out: 1_202, records_dropped: 0, records_dead: 0, lag: null, offsets: [],
  watermark_at: new Date(Date.now() - 900_000).toISOString(), failures: [{ code: 'WORKER_FAILING', step: null, count: 1 }],
}

/** As the control plane refuses a statement and types, roughly. */
export function refusedProgram(spec: Record<string, unknown>): { pointer: string; code: string; detail: string }[] {
  const program = spec.program as { kind?: string; statement?: string; sources?: { name: string; columns?: { type: string }[] }[] } | undefined
  if (program?.kind !== 'SQL') return []
  const line = program.statement?.split('\n').findIndex((it) => it.includes('DROP')) ?? -1
  const column = program.statement?.split('\n')[line]?.indexOf('DROP') ?? 0
  const types = (program.sources ?? []).flatMap((source, number) => (source.columns ?? []).flatMap(({ type }, row) => (/^(STRING|BIGINT|DOUBLE|TIMESTAMP\(3\))$/.test(type) ? [] : [{ pointer: `/spec/program/sources/${number}/columns/${row}/type`, code: 'bad_program', detail: `\`${type}\` is no type of a column. Types are STRING, BOOLEAN, BIGINT, DOUBLE, TIMESTAMP, ROW<name type, ..>, ARRAY<type> and MAP<type, type>.` }])))
  const bare = (program.sources ?? []).flatMap((source, number) => (source.columns?.length || source.name === 'payments' ? [] : [{ pointer: `/spec/program/sources/${number}`, code: 'bad_program', detail: 'The topic has no contract: say its columns.' }]))
  if (line < 0 && types.length === 0) return bare
  return [...(line < 0 ? [] : [{ pointer: '/spec/program/statement', code: 'bad_program', detail: `Jobs make no such statement: DROP (line ${line + 1}, column ${column + 1})` }]), ...types]
}

const made = new Map<string, unknown[]>()

/** Each other program of a job that was made here is a version. */
export function noteProgram(job: MockObject): void {
  if (job.kind === 'ComputePool') {
    const used = Number(job.status.unit_hours_this_month ?? 0)
    const budget = job.spec.budget as { unit_hours_per_month: number; warn_at_percent?: number } | undefined
    const percent = Math.round((used / (budget?.unit_hours_per_month ?? 1)) * 1000) / 10
    const level = percent >= 100 ? 'EXHAUSTED' : percent >= (budget?.warn_at_percent ?? 80) ? 'WARNED' : 'WITHIN'
    Object.assign(job.status, { units_used: job.status.units_used ?? 0, jobs: job.status.jobs ?? 0, unit_hours_this_month: used, budget: budget && { level, used_percent: percent, resets_at: RESETS } })
  }
  if (job.kind !== 'Job') return
  const programs = made.get(job.id) ?? []
  made.set(job.id, programs)
  if (JSON.stringify(programs.at(-1)) !== JSON.stringify(job.spec.program)) programs.push(structuredClone(job.spec.program))
  const { min_workers = 1, max_workers = 1, policy } = (job.spec.scaling ?? {}) as { min_workers?: number; max_workers?: number; policy?: { mode?: string } }
  Object.assign(job.status, { parallelism: min_workers === max_workers ? FIXED : { ...SCALED, ...(policy?.mode && { mode: policy.mode }) } })
  Object.assign(job.status, { phase: job.spec.desired_state === 'STOPPED' ? 'STOPPED' : 'RUNNING', latest_version: programs.length })
}

const programAt = (program: unknown, version: number) => {
  const { kind, statement } = program as { kind: string; statement: string }
  return kind === 'SQL' && version === 1 ? { ...(program as object), statement: statement.replace('> 10', '> 5') } : program
}

/** An hour of load that rises, falls and ends, the newest decision first. */
export function decisionsOf(job: MockObject): unknown {
  const began = Date.now() - 60 * 60_000
  const steps: [number, string, string, number, number, number | null][] = [
    [0, 'WAKE', 'RECORDS_WAIT', 0, 1, 1_204], [4, 'SCALE', 'BACKLOG', 1, 2, 88_120], [11, 'HOLD', 'POOL_LIMIT', 2, 2, 140_310], [19, 'SCALE', 'BAND_HIGH', 2, 3, 52_000],
    [31, 'HOLD', 'METRICS_UNKNOWN', 3, 3, null], [42, 'SCALE', 'BAND_LOW', 3, 1, 320], [55, 'SUSPEND', 'IDLE', 1, 0, 0],
  ]
  const data = job.spec.program ? steps.map(([minute, outcome, reason, workers, given, lag]) => ({
    kind: 'JobScalingDecision', at: new Date(began + minute * 60_000).toISOString(), outcome, reason, also: [], workers, workers_given: given, workers_wanted: outcome === 'HOLD' ? given + 2 : given, lag,
    terms: lag === null || outcome === 'WAKE' || outcome === 'SUSPEND' ? undefined : { arrival_rate: 900 + 40 * minute * (43 - minute), true_rate: workers * 9_500, backlog: lag > 50_000 },
  })).reverse() : []
  return { kind: 'JobScalingDecisionList', metadata: {}, data }
}

export function versionsOf(job: MockObject): unknown {
  const latest = Number(job.status.latest_version)
  const data = Array.from({ length: latest }, (_, at) => ({ kind: 'JobVersion', version: latest - at, program: made.get(job.id)?.[latest - at - 1] ?? programAt(job.spec.program, latest - at), keeps_state: latest - at > 1, created_at: job.metadata.created_at, created_by: 'member_01jcmock0000000000000000a' }))
  return { kind: 'JobVersionList', metadata: {}, data }
}
