// The objects of the mock, and an agent that seems to work on them.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

export interface MockObject {
  api_version: 'v1'
  kind: string
  id: string
  metadata: { resource_name: string; created_at: string; updated_at: string; generation: number; labels: Record<string, string> }
  spec: Record<string, unknown>
  status: Record<string, unknown>
}

export const KIND_OF_PATH: Record<string, string> = {
  organizations: 'Organization', tenants: 'Tenant', members: 'Member', 'service-accounts': 'ServiceAccount', 'api-keys': 'ApiKey',
  'role-bindings': 'RoleBinding', environments: 'Environment', 'data-planes': 'DataPlane', 'data-plane-grants': 'DataPlaneGrant',
  'broker-pools': 'BrokerPool', clusters: 'Cluster', topics: 'Topic', shares: 'Share', 'data-products': 'DataProduct', 'access-requests': 'AccessRequest', 'rate-cards': 'RateCard',
  contracts: 'Contract', 'contract-lint-rules': 'ContractLintRule', quotas: 'Quota', 'alert-rules': 'AlertRule', 'compute-pools': 'ComputePool', jobs: 'Job', 'cluster-links': 'ClusterLink',
}
const PREFIX: Record<string, string> = {
  Organization: 'org', Tenant: 'tenant', Member: 'member', ServiceAccount: 'service_account', ApiKey: 'key', RoleBinding: 'binding',
  Environment: 'environment', DataPlane: 'data_plane', DataPlaneGrant: 'grant', BrokerPool: 'pool', Cluster: 'cluster', Topic: 'topic', Share: 'share', DataProduct: 'data_product', AccessRequest: 'access_request',
  RateCard: 'rate_card', AuditEvent: 'audit', Contract: 'contract', ContractLintRule: 'contract_lint_rule', Quota: 'quota', AlertRule: 'alert_rule', ComputePool: 'compute_pool', Job: 'job', ClusterLink: 'cluster_link',
}
const SERVED = new Set(['BrokerPool', 'Cluster', 'Topic', 'ApiKey'])
const ABOVE = new Set(['organizations', 'tenants', 'rate-cards'])

export function newId(kind: string): string {
  const digits = '0123456789abcdefghjkmnpqrstvwxyz'
  const bytes = [...randomUUID().replaceAll('-', '')].slice(0, 24)
  return `${PREFIX[kind]}_01${bytes.map((b) => digits[Number.parseInt(b, 16) * 2]).join('')}`
}

export class Store {
  private readonly rows = new Map<string, { collection: string; tenant: string | undefined; object: MockObject }>()
  private readonly audit: { tenant: string | undefined; event: unknown }[] = []
  private readonly watchers = new Set<ServerResponse>()
  private position = 0
  /** Who signed in last. */
  email = ''

  list(collection: string, tenant: string | undefined): MockObject[] {
    return [...this.rows.values()].filter((r) => r.collection === collection && (ABOVE.has(collection) || !tenant || !r.tenant || r.tenant === tenant || r.object.spec.guest_tenant === tenant)).map((r) => r.object)
  }

  get(id: string): MockObject | undefined {
    return this.rows.get(id)?.object
  }

  tenantOf(id: string): string | undefined {
    return this.rows.get(id)?.tenant
  }

  me(): MockObject {
    return this.list('members', undefined).find((m) => m.spec.email === this.email) ?? this.list('members', undefined)[0]!
  }

  draft(collection: string, spec: Record<string, unknown>, tenant?: string, metadata?: unknown): MockObject {
    const kind = KIND_OF_PATH[collection] ?? ''
    const now = new Date().toISOString()
    const labels = (metadata as { labels?: Record<string, string> } | undefined)?.labels ?? {}
    const name = typeof spec.name === 'string' ? spec.name : ''
    const status: Record<string, unknown> = { phase: kind === 'DataPlane' || SERVED.has(kind) ? 'PENDING' : kind === 'DataPlaneGrant' ? 'OFFERED' : 'READY' }
    if (kind === 'DataPlane') Object.assign(status, { connected: false, desired_generation: 1, gateways_live: 0, reason: 'NOT_ENROLLED', message: 'Run the enrolment command inside the network; a new token can be made.' })
    if (kind === 'DataPlaneGrant') status.owner_tenant = tenant
    if (kind === 'BrokerPool') status.brokers_ready = 0
    return { api_version: 'v1', kind, id: newId(kind), metadata: { resource_name: `${PREFIX[kind]}=${name}`, created_at: now, updated_at: now, generation: 1, labels }, spec, status }
  }

  insert(collection: string, object: MockObject, tenant: string | undefined, quiet = false): MockObject {
    if (object.spec.certificate_pem) {
      object.spec.public_key_sha256 = 'mNqk0eSmMocked+HashOfAPublicKey0000000000000='
      delete object.spec.certificate_pem
    }
    this.rows.set(object.id, { collection, tenant, object })
    if (!quiet) {
      this.record('create', object, undefined, object, tenant)
      if (SERVED.has(object.kind)) this.serve(object)
      if (object.kind === 'DataPlane') setTimeout(() => this.touch(object, { phase: 'READY', connected: true, enrolled_at: new Date().toISOString(), last_seen_at: new Date().toISOString(), accepted_generation: 1, applied_generation: 1, gateways_live: 1, agent_version: '0.1.0', kafka_version: '4.3.1', reason: undefined, message: undefined }), 6000)
    }
    return object
  }

  update(object: MockObject, after: MockObject): MockObject {
    const before = structuredClone(object)
    object.spec = after.spec
    object.metadata.generation += 1
    object.metadata.updated_at = new Date().toISOString()
    this.record('update', object, before, object, this.rows.get(object.id)?.tenant)
    if (SERVED.has(object.kind)) {
      object.status.phase = 'PROVISIONING'
      this.serve(object)
    }
    return object
  }

  remove(object: MockObject): void {
    this.record('delete', object, object, undefined, this.rows.get(object.id)?.tenant)
    this.rows.delete(object.id)
  }

  secretsFor(object: MockObject): Record<string, unknown> {
    if (object.kind === 'ApiKey' && object.spec.public_key_sha256) return {}
    if (object.kind === 'ApiKey') return { secret: { username: object.id, password: 'weirs_mocked_secret_0000000000000000000000' } }
    if (object.kind === 'Member') return { secret: { password: 'mock-password-once' } }
    if (object.kind !== 'DataPlane') return {}
    const command = 'weir-agent run --state-dir /var/lib/weir-agent --control-plane weir.example:9641 --ca-sha256 2f7c…91ab --token weire_mock'
    return { enrollment: { token: 'weire_mock', expires_at: new Date(Date.now() + 1.8e6).toISOString(), command } }
  }

  extent(object: MockObject): unknown {
    const count = Number(object.spec.partitions)
    return { kind: 'TopicExtent', partitions: Array.from({ length: count }, (_, i) => ({ partition: i, log_start_offset: 0, log_end_offset: 16_600 + i * 13, size_bytes: 2_480_000 + i * 2100 })) }
  }

  auditOf(tenant: string | undefined): unknown[] {
    return this.audit.filter((a) => !tenant || a.tenant === tenant).map((a) => a.event).reverse()
  }

  watch(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' })
    response.write(': watching\n\n')
    this.watchers.add(response)
    request.on('close', () => this.watchers.delete(response))
  }

  touch(object: MockObject, status: Record<string, unknown>): void {
    Object.assign(object.status, status)
    this.tell(object, 'status')
  }

  record(action: string, object: MockObject, before: unknown, after: unknown, tenant: string | undefined): void {
    const event = { api_version: 'v1', kind: 'AuditEvent', id: newId('AuditEvent'), who: this.me()?.id, action, object_kind: object.kind, object: object.id, before: structuredClone(before), after: structuredClone(after), request_id: `req_${randomUUID().slice(0, 18)}`, occurred_at: new Date().toISOString() }
    this.audit.push({ tenant, event })
    this.tell(object, action)
  }

  private serve(object: MockObject): void {
    setTimeout(() => this.touch(object, { phase: 'PROVISIONING' }), 800)
    setTimeout(() => {
      const seen: Record<string, Record<string, unknown>> = {
        Topic: { observed_partitions: object.spec.partitions }, BrokerPool: { brokers_ready: object.spec.brokers },
        Cluster: { bootstrap_servers: '127.0.0.1:9650', kafka_cluster_id: 'mAzX1kq0SgyqkKf2' },
      }
      this.touch(object, { phase: 'READY', ...seen[object.kind] })
    }, 2600)
  }

  private tell(object: MockObject, action: string): void {
    this.position += 1
    const data = JSON.stringify({ kind: object.kind, id: object.id, action, generation: object.metadata.generation, occurred_at: new Date().toISOString() })
    for (const watcher of this.watchers) watcher.write(`id: ${this.position}\nevent: changed\ndata: ${data}\n\n`)
  }
}
