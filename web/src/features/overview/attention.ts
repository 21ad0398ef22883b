// What needs attention first. Pure, so that its order can be tested.
import type { ApiKey, BrokerPool, Cluster, DataPlane, DataPlaneGrant, Topic } from '../../api/types.ts'
import { formatAge } from '../../ui/format.ts'

export interface Attention {
  key: string
  id: string
  name: string
  text: string
  /** Lower is more urgent. */
  rank: number
  at?: string | null
  route: string
}

export interface Seen {
  planes: readonly DataPlane[]
  pools: readonly BrokerPool[]
  clusters: readonly Cluster[]
  topics: readonly Topic[]
  keys: readonly ApiKey[]
  received: readonly DataPlaneGrant[]
}

const SOON_MS = 14 * 86_400_000
const LISTED_MAX = 5

export function attention(seen: Seen, now: number): Attention[] {
  return [
    ...seen.planes.flatMap((p) => ofPlane(p, now)),
    ...notReady(seen.pools, 'broker pool', 2, (p) => ({ id: p.spec.data_plane, route: '/data-planes' })),
    ...notReady(seen.clusters, 'cluster', 3, (c) => ({ id: c.id, route: '/clusters' })),
    ...notReady(seen.topics, 'topic', 4, (t) => ({ id: t.id, route: '/topics' })),
    ...seen.received.filter((g) => g.status.phase === 'OFFERED').map((g): Attention => ({ key: g.id, id: g.id, name: 'A place on another tenant’s brokers', text: 'is offered and waits for your answer', rank: 5, route: '/grants' })),
    ...seen.keys.flatMap((k) => ofKey(k, now)),
  ].sort((a, b) => a.rank - b.rank)
}

function ofPlane(plane: DataPlane, now: number): Attention[] {
  const { status, spec, id } = plane
  const base = { key: id, id, name: `Data plane ${spec.name}`, route: '/data-planes' }
  if (status.phase === 'REVOKED') return [{ ...base, rank: 1, text: 'is cut off; what it runs goes on without us' }]
  if (!status.enrolled_at) return [{ ...base, rank: 3, text: 'waits for its agent: run the enrolment command' }]
  if (!status.connected) {
    const since = status.last_seen_at ? `; last heard ${formatAge(now - Date.parse(status.last_seen_at))}` : ''
    return [{ ...base, rank: 0, text: `is silent${since}. Streams run on; changes wait`, at: status.last_seen_at }]
  }
  return []
}

interface Served {
  id: string
  spec: { name: string }
  status: { phase: string; message?: string | null; reason?: string | null }
}

function notReady<T extends Served>(objects: readonly T[], noun: string, rank: number, place: (object: T) => { id: string; route: string }): Attention[] {
  const found = objects.filter((o) => o.status.phase !== 'READY')
  return found.slice(0, LISTED_MAX).map((o, index): Attention => {
    const more = index === LISTED_MAX - 1 && found.length > LISTED_MAX ? ` (and ${found.length - LISTED_MAX} more)` : ''
    const why = o.status.message ?? o.status.reason
    return { key: o.id, ...place(o), name: `${noun.charAt(0).toUpperCase()}${noun.slice(1)} ${o.spec.name}`, text: `is ${o.status.phase.toLowerCase()}${why ? `: ${why}` : ''}${more}`, rank: o.status.phase === 'FAILED' ? rank - 2 : rank }
  })
}

function ofKey(key: ApiKey, now: number): Attention[] {
  const base = { key: key.id, id: key.id, name: `Key ${key.spec.description || `…${key.id.slice(-6)}`}`, route: '/api-keys' }
  if (key.status.phase === 'EXPIRED') return [{ ...base, rank: 5, text: 'has expired; whoever uses it is refused' }]
  const left = key.spec.expires_at ? Date.parse(key.spec.expires_at) - now : Infinity
  return left < SOON_MS ? [{ ...base, rank: 6, text: 'expires within 14 days', at: key.spec.expires_at }] : []
}
