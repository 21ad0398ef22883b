// Compute pools and jobs of the mock, and the versions of one.
import type { MockObject, Store } from './mock-store.ts'

type Put = (collection: string, spec: Record<string, unknown>, status?: Record<string, unknown>, tenant?: string, minutes?: number, labels?: object) => MockObject

const PROGRESS = {
  version: 3, workers: 2, units: 2, queue_place: null, restarts: 1, records_in: 1_284_113, records_out: 91_205, records_dropped: 1_192_894, records_dead: 14, lag: 318,
  watermark_at: new Date(Date.now() - 4_000).toISOString(), suspended_at: null, offsets: [{ partition: 0, offset: 107_009 }],
  failures: [{ code: 'EXPRESSION', step: 1, count: 12 }, { code: 'DECODE', step: null, count: 2 }], reported_at: new Date().toISOString(),
}

export function seedJobs(put: Put, store: Store, plane: string, cluster: string, account: string, tenant: string): void {
  const topic = (name: string) => store.list('topics', tenant).find((t) => t.spec.name === name)?.id
  const pool = put('compute-pools', { data_plane: plane, name: 'steady', max_units: 4 }, { units_used: 2, jobs: 2 }, tenant, 80).id
  const base = { cluster, compute_pool: pool, service_account: account, description: '', desired_state: 'RUNNING', scaling: { min_workers: 1, max_workers: 2 }, priority: 5, deletion_protection: false }
  const program = {
    kind: 'ACTION', source: { topic: topic('payments'), start: 'EARLIEST' },
    steps: [{ filter: { where: 'message.risk_score > 0.8' } }, { mask: { fields: ['card'], how: { KEEP_LAST: { n: 4 } } } }],
    sinks: [{ name: 'out', topic: topic('high-risk-payments'), encoding: 'KEEP' }], dead_letter: topic('payments.dead-letter'), null_values: 'PASS',
  }
  put('jobs', { ...base, name: 'high-risk', program, description: 'What the risk desk looks at' }, { phase: 'RUNNING', latest_version: 3, progress: PROGRESS }, tenant, 70, { team: 'risk' })
  const waits = { phase: 'PENDING', reason: 'POOL_EXHAUSTED', message: 'The compute pool has no room: the job waits for its turn. Raise max_units, or stop another job.', latest_version: 1 }
  put('jobs', { ...base, name: 'suspects', scaling: { min_workers: 3, max_workers: 3 }, program: { ...program, sinks: [{ name: 'out', topic: topic('suspected-fraud'), encoding: 'JSON' }] } }, waits, tenant, 12)
}

export function versionsOf(job: MockObject): unknown {
  const latest = Number(job.status.latest_version)
  const data = Array.from({ length: latest }, (_, at) => ({ kind: 'JobVersion', version: latest - at, program: job.spec.program, keeps_state: latest - at > 1, created_at: job.metadata.created_at, created_by: 'member_01jcmock0000000000000000a' }))
  return { kind: 'JobVersionList', metadata: {}, data }
}
