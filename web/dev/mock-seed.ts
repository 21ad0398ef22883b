// What the mock begins with: the story of Northbank with its tenants payments and risk.
import { seedContracts } from './mock-contracts.ts'
import { seedJobs } from './mock-jobs.ts'
import { seedLinks } from './mock-links.ts'
import { seedProducts } from './mock-products.ts'
import { seedShares } from './mock-shares.ts'
import type { MockObject, Store } from './mock-store.ts'

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()

export function seed(store: Store): void {
  const put = (collection: string, spec: Record<string, unknown>, status: Record<string, unknown> = {}, tenant?: string, minutes = 300, labels = {}): MockObject => {
    const object = store.draft(collection, spec, tenant, { labels })
    Object.assign(object.status, { phase: 'READY', reason: undefined, message: undefined }, status)
    object.metadata.created_at = ago(minutes)
    object.metadata.updated_at = ago(minutes)
    store.insert(collection, object, tenant, true)
    store.record('create', object, undefined, object, tenant)
    return object
  }
  put('members', { email: 'operator@weir.example', display_name: 'Olga Petrov' }, { last_signed_in_at: ago(1) })
  const org = put('organizations', { name: 'northbank', display_name: 'Northbank' })
  const payments = put('tenants', { organization: org.id, name: 'payments', display_name: 'Payments' }).id
  const risk = put('tenants', { organization: org.id, name: 'risk', display_name: 'Risk' }).id
  put('members', { email: 'ana@northbank.example', display_name: 'Ana Ruiz', tenant: payments }, { last_signed_in_at: ago(22) }, payments)
  const prod = put('environments', { name: 'prod', description: 'Card payments, live' }, {}, payments, 290, { owner: 'cards' })
  put('environments', { name: 'test', description: 'For trying out' }, {}, payments, 289)
  const plane = put('data-planes', { name: 'frankfurt-1', description: 'Rack 12, hall B' }, { connected: true, enrolled_at: ago(280), last_seen_at: ago(0.07), agent_version: '0.1.0', kafka_version: '4.3.1', desired_generation: 41, accepted_generation: 41, applied_generation: 41, gateways_live: 2 }, payments)
  put('data-planes', { name: 'dublin-1', description: 'Standby site' }, { phase: 'DEGRADED', connected: false, enrolled_at: ago(270), last_seen_at: ago(14), agent_version: '0.1.0', kafka_version: '4.3.1', desired_generation: 9, accepted_generation: 8, applied_generation: 8, gateways_live: 1, reason: 'AGENT_SILENT', message: 'The agent is silent. What it runs goes on; changes wait until it is back.' }, payments)
  const pool = put('broker-pools', { data_plane: plane.id, name: 'main', brokers: 3 }, { brokers_ready: 3 }, payments)
  const cards = put('clusters', { environment: prod.id, broker_pool: pool.id, name: 'cards' }, { bootstrap_servers: '10.20.4.11:9650', kafka_cluster_id: 'mAzX1kq0SgyqkKf2' }, payments, 270)
  put('clusters', { environment: prod.id, broker_pool: pool.id, name: 'ledger' }, { bootstrap_servers: '10.20.4.11:9651', kafka_cluster_id: 'pQ8vR2m1TxGq0ab3' }, payments, 200)
  topics(put, cards.id, payments)
  seedContracts(store, prod.id, payments)
  const producer = put('service-accounts', { name: 'payment-api', description: 'Writes card payments' }, {}, payments)
  const consumer = put('service-accounts', { name: 'fraud-scorer', description: 'Reads card payments, writes scores' }, {}, payments)
  put('service-accounts', { name: 'busy-cards', description: 'Whose rights the job has' }, {}, payments)
  seedJobs(put, store, plane.id, cards.id, consumer.id, payments)
  seedLinks(put, store, consumer.id, payments)
  for (const account of [producer, consumer]) {
    put('api-keys', { service_account: account.id, cluster: cards.id, description: `${String(account.spec.name)} in prod` }, {}, payments)
    put('role-bindings', { principal: account.id, role: 'DEVELOPER', resource: 'environment=prod/*' }, {}, payments)
  }
  put('data-plane-grants', { broker_pool: pool.id, guest_tenant: risk, clusters_max: 2, topics_max: 50, partitions_max: 300 }, { phase: 'ACTIVE', owner_tenant: payments }, payments, 100)
  seedShares(put, store, payments, risk)
  seedProducts(put, store, payments, risk)
  put('rate-cards', { name: 'standard-2026', currency: 'EUR', effective_from: '2026-01-01T00:00:00Z', prices: [
    { meter: 'PRODUCE_BYTES', unit: 'GIB', model: 'GRADUATED', tiers: [{ up_to: '100', unit_price: '0.09' }, { unit_price: '0.05' }] },
    { meter: 'FETCH_BYTES', unit: 'GIB', model: 'PER_UNIT', tiers: [{ unit_price: '0.04' }] },
    { meter: 'REQUESTS', unit: 'MILLION_REQUESTS', model: 'PER_UNIT', tiers: [{ unit_price: '0.20' }] },
  ] })
}

type Put = (collection: string, spec: Record<string, unknown>, status?: Record<string, unknown>, tenant?: string, minutes?: number, labels?: object) => MockObject

function topics(put: Put, cluster: string, tenant: string): void {
  const base = { cluster, retention_ms: 604_800_000, retention_bytes: -1, cleanup_policy: 'DELETE', max_message_bytes: 1_048_588, configs: {} }
  put('topics', { ...base, name: 'payments', partitions: 12, contract: { enforcement: 'REJECT', value: { strategy: 'TOPIC_NAME', unframed: 'JSON' } } }, { phase: 'PROVISIONING', observed_partitions: 6, reason: 'PARTITIONS_GROWING', message: 'Kafka has 6 of 12 partitions; the rest are being made.' }, tenant, 260, { team: 'cards', pii: 'yes' })
  put('topics', { ...base, name: 'payments.dead-letter', partitions: 3, retention_ms: 2_592_000_000 }, { observed_partitions: 3 }, tenant, 240)
  put('topics', { ...base, name: 'high-risk-payments', partitions: 6 }, { observed_partitions: 6 }, tenant, 180, { team: 'risk' })
  put('topics', { ...base, name: 'suspected-fraud', partitions: 6, retention_ms: -1 }, { observed_partitions: 6 }, tenant, 120)
  put('topics', { ...base, name: 'busy-cards', partitions: 1 }, { observed_partitions: 1 }, tenant, 100)
  put('topics', { ...base, name: 'customers', partitions: 6, cleanup_policy: 'COMPACT' }, { observed_partitions: 6 }, tenant, 90)
}
