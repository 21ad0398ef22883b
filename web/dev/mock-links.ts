// Cluster links of the mock: one that runs, one that waits for a policy; a new one waits for its agents.
import type { MockObject, Store } from './mock-store.ts'

type Put = (collection: string, spec: Record<string, unknown>, status?: Record<string, unknown>, tenant?: string, minutes?: number, labels?: object) => MockObject
interface Linked { topic: string; name?: string }

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
const lines = (peer: string, word: string, digits: string) => `[[cluster_links]]\ndata_plane = "${peer}"\n${word} = "sha256:${digits.repeat(32)}"\n`
const UNCONFIRMED = { phase: 'PENDING', reason: 'PEER_UNCONFIRMED', message: 'This end’s own policy does not name the key of the other end yet: put the lines that it expects there, in its own network.' }

export function seedLinks(put: Put, store: Store, account: string, tenant: string): void {
  const find = (collection: string, name: string) => store.list(collection, tenant).find((it) => it.spec.name === name)!
  const [from, into] = [find('clusters', 'cards'), find('clusters', 'ledger')]
  const base = { source_cluster: from.id, target_cluster: into.id, service_account: account, start: 'EARLIEST', desired_state: 'RUNNING' }
  const link = (name: string, topics: Linked[], status: object, end: object) => {
    const made = put('cluster-links', { ...base, name, topics }, {}, tenant, 90)
    settle(store, made, status, end)
    return made
  }
  const running = link('second-site', [{ topic: find('topics', 'payments').id, name: 'site.payments' }, { topic: find('topics', 'customers').id, name: 'site.customers' }], { phase: 'RUNNING' }, { phase: 'RUNNING' })
  const failed = (running.status.topics as Record<string, unknown>[])[1]!
  Object.assign(failed, { phase: 'FAILED', reason: 'UNAUTHORIZED', message: 'The link’s service account may not read there: give it the role READER on the topic.', lag_records: null })
  Object.assign(running.status, { phase: 'DEGRADED', reason: 'UNAUTHORIZED', message: failed.message, lag_records: null })
  link('moving-house', [{ topic: find('topics', 'high-risk-payments').id, name: 'house.high-risk-payments' }], UNCONFIRMED, UNCONFIRMED)
}

/** What agents say of a link, and the copies. */
export function settle(store: Store, link: MockObject, status: object = UNCONFIRMED, end: object = UNCONFIRMED): void {
  const plane = (cluster: unknown) => store.list('broker-pools', undefined).find((it) => it.id === store.get(String(cluster))?.spec.broker_pool)?.spec.data_plane as string
  const [source, target] = [plane(link.spec.source_cluster), plane(link.spec.target_cluster)]
  const topics = (link.spec.topics ?? []) as Linked[]
  const held = store.list('topics', undefined).filter((it) => (it.status.mirror as { cluster_link?: string } | undefined)?.cluster_link === link.id)
  for (const copy of held) if (!topics.some((t) => t.topic === (copy.status.mirror as { source_topic?: string }).source_topic)) delete copy.status.mirror
  link.status = {
    lag_records: topics.length * 218, ...status,
    source: { data_plane: source, reported_at: ago(0.1), ...end, expects: lines(target, 'reads_with', 'ab') },
    target: { data_plane: target, reported_at: ago(0.2), ...end, expects: lines(source, 'serves_with', 'cd') },
    topics: topics.map((linked) => {
      const of = store.get(linked.topic)!
      const mirror = held.find((it) => (it.status.mirror as { source_topic?: string }).source_topic === linked.topic) ?? copyOf(store, link, of, linked.name)
      return { topic: linked.topic, source_name: of.spec.name, mirror: mirror.id, name: mirror.spec.name, phase: 'RUNNING', lag_records: 218, records: 1_284_113, bytes: 402_113_000, caught_up_at: ago(3), partitions: of.spec.partitions, reported_at: ago(0.1) }
    }),
  }
  link.spec.topics = topics.map((linked, at) => ({ topic: linked.topic, name: (link.status.topics as { name: string }[])[at]!.name }))
}

function copyOf(store: Store, link: MockObject, of: MockObject, name?: string): MockObject {
  const tenant = store.tenantOf(of.id)
  const made = store.draft('topics', { ...of.spec, contract: undefined, cluster: link.spec.target_cluster, name: name ?? of.spec.name }, tenant)
  made.status = { phase: 'READY', observed_partitions: of.spec.partitions, mirror: { cluster_link: link.id, source_topic: of.id } }
  return store.insert('topics', made, tenant, true)
}
