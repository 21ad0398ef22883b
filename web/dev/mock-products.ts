// The catalog of the mock: who finds which topic, and requests for them. An answer says its status.
import { type MockObject, type Store } from './mock-store.ts'
import type { ShareAnswer, ShareRequest } from './mock-shares.ts'

type Members = Record<string, unknown>
type Put = (collection: string, spec: Members, status?: Members, tenant?: string, minutes?: number) => MockObject
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()
const FIELDS = [{ path: 'amount', type: 'int' }, { path: 'currency', type: 'string' }, { path: 'customer.name', type: 'string', masked: 'REDACT' }, { path: 'iban', type: 'string', masked: 'REDACT' }, { path: 'id', type: 'string' }]
const LEVELS = [
  { name: 'freshness', objective: { value: 5, unit: 'm' }, target_percent: 99, state: 'OK', measured: { value: 1.2, unit: 'm' }, measured_at: new Date().toISOString(), budget: { window_days: 30, allowed_minutes: 432, spent_minutes: 12, unknown_minutes: 3, remaining_ratio: 0.972 } },
  { name: 'availability', objective: { value: 99.9, unit: 'percent' }, target_percent: 99.9, state: 'OK', measured: { value: 99.98, unit: 'percent' }, measured_at: new Date().toISOString(), budget: { window_days: 30, allowed_minutes: 43.2, spent_minutes: 8, unknown_minutes: 0, remaining_ratio: 0.815 } },
]

export function seedProducts(put: Put, store: Store, payments: string, risk: string): void {
  const topic = (name: string) => store.list('topics', payments).find((t) => t.spec.name === name)!
  const listed = put('data-products', { name: 'Customers', description: 'Who banks with us, one record for each change.', visibility: 'LISTED', tenants: [risk], price: { currency: 'EUR', per_gib: '0.10', per_month: '0' } }, { owner: payments, topic: topic('customers').id }, payments, 500)
  const scores = put('data-products', { name: 'Risk scores', description: 'A score between 0 and 1000 for every customer, as it changes. For decisions about credit, not for marketing.', visibility: 'PUBLIC', price: { currency: 'EUR', per_gib: '0', per_month: '250' } }, { owner: risk, topic: 'topic_0' }, risk, 4000)
  put('data-products', { name: 'Sanctions', description: 'Names of lists of sanctions, as they are published.', visibility: 'PUBLIC' }, { owner: risk, topic: 'topic_1' }, risk, 90)
  put('data-products', { name: 'Devices', description: 'Which devices sign in, and from where.', visibility: 'PUBLIC' }, { owner: risk, topic: 'topic_2' }, risk, 60)
  const request = (of: MockObject, by: string, reason: string, phase: string, more: Members = {}) => put('access-requests', { data_product: of.id, reason }, { phase, product_name: of.spec.name, owner: of.status.owner, by, topic: of.status.topic, expires_at: inDays(28), ...more }, undefined, 70)
  request(listed, risk, 'Scoring of credit: we join them with payments, and keep nothing longer than a day.', 'PENDING')
  request(listed, risk, 'Marketing.', 'REJECTED', { answer: 'Not for marketing.', decided_at: inDays(-3) })
  request(scores, payments, 'To hold back payments of customers whose score fell.', 'PENDING')
}

const nameOf = (store: Store, tenant: unknown) => store.get(String(tenant))?.spec.display_name ?? 'a tenant'
const find = (store: Store, tenant: string | undefined) => store.list('data-products', undefined).filter((p) => p.status.owner !== tenant && (p.spec.visibility === 'PUBLIC' || (p.spec.visibility === 'LISTED' && (p.spec.tenants as string[]).includes(tenant ?? ''))))

function found(store: Store, product: MockObject, tenant: string | undefined, alone: boolean): MockObject {
  const { name, description, price } = product.spec
  const waiting = store.list('access-requests', undefined).find((r) => r.spec.data_product === product.id && r.status.by === tenant && r.status.phase === 'PENDING')
  const clusters = store.list('clusters', tenant).map((c) => c.id)
  return { ...product, spec: { name, description, ...(price ? { price } : {}) }, status: { phase: 'READY', provider_name: nameOf(store, product.status.owner), ...(waiting && { access_request: waiting.id }), ...(alone && { fields: FIELDS, service_levels: LEVELS, clusters }) } }
}

function shown(store: Store, request: MockObject, tenant: string | undefined): MockObject {
  const { owner, by, topic, share, ...rest } = request.status
  const received = owner === tenant
  const sides = received ? { direction: 'RECEIVED', tenant_name: nameOf(store, by), requester_tenant: by, topic, ...(share ? { share } : {}) } : { direction: 'SENT', tenant_name: nameOf(store, owner), ...(share ? { received_share: (share as string).replace('share_', 'received_share_') } : {}) }
  return { ...request, status: { ...rest, ...sides } }
}

const missing = (): ShareAnswer => [404, { type: '/docs/errors#not_found', title: 'Not found', status: 404, detail: 'It is not there, or not visible to you.', code: 'not_found', request_id: 'req_mock', errors: [] }]
const plan = (action: string, kind: string, id: string, before: unknown, after: unknown): ShareAnswer => [200, { kind: 'Plan', changes: [{ action, kind, id, before, after }] }]

/** What only the catalog answers; nothing for the rest. */
export function productAnswer(asked: ShareRequest): ShareAnswer | undefined {
  const { store, method, segments, query, body, tenant = store.me().spec.tenant as string | undefined } = asked
  const [collection, id = '', action] = segments
  const dry = query.get('dry_run') === 'true'
  if ((collection === 'shares' || collection === 'received-shares') && action === 'service-levels') return [200, { kind: 'ShareServiceLevels', topics: [{ alias: collection === 'shares' ? 'card-payments' : 'watch-list', levels: LEVELS }] }]
  if (collection === 'topics' && action === 'visibility') return visibility(store, method, id, body, tenant, dry)
  if (collection === 'data-products') {
    const q = query.get('q')?.toLowerCase()
    if (id === '') return [200, { kind: 'DataProductList', metadata: {}, data: find(store, tenant).map((p) => found(store, p, tenant, false)).filter((p) => !q || JSON.stringify(p.spec).toLowerCase().includes(q)) }]
    const product = find(store, tenant).find((p) => p.id === id)
    if (!product) return missing()
    if (action !== 'request') return [200, found(store, product, tenant, true)]
    const made = store.draft('access-requests', { data_product: id, reason: body.reason }, tenant)
    made.status = { phase: 'PENDING', product_name: product.spec.name, owner: product.status.owner, by: tenant, topic: product.status.topic, expires_at: inDays(30) }
    if (dry) return plan('create', 'AccessRequest', made.id, undefined, shown(store, made, tenant))
    return [201, shown(store, store.insert('access-requests', made, undefined), tenant)]
  }
  if (collection !== 'access-requests') return undefined
  const rows = store.list('access-requests', undefined).filter((r) => r.status.owner === tenant || r.status.by === tenant)
  if (id === '') {
    const [direction, phase] = [query.get('direction'), query.get('phase')]
    return [200, { kind: 'AccessRequestList', metadata: {}, data: rows.map((r) => shown(store, r, tenant)).filter((r) => (!direction || r.status.direction === direction.toUpperCase()) && (!phase || r.status.phase === phase)) }]
  }
  const request = rows.find((r) => r.id === id)
  if (!request) return missing()
  const phase = { approve: 'APPROVED', reject: 'REJECTED', withdraw: 'WITHDRAWN' }[action ?? '']
  if (!phase) return [200, shown(store, request, tenant)]
  const before = structuredClone(shown(store, request, tenant))
  const share = store.list('shares', undefined)[0]?.id
  const after = { phase, ...(phase === 'APPROVED' && { share }), ...(phase === 'REJECTED' && { answer: body.reason }), decided_at: new Date().toISOString() }
  if (dry) return plan(action!, 'AccessRequest', id, before, { ...before, status: { ...before.status, phase } })
  store.touch(request, after)
  return [200, shown(store, request, tenant)]
}

function visibility(store: Store, method: string, topic: string, body: Members, tenant: string | undefined, dry: boolean): ShareAnswer {
  const product = store.list('data-products', undefined).find((p) => p.status.topic === topic)
  const view = (p: MockObject | undefined, fields: boolean) => ({ kind: 'TopicVisibility', topic, ...(p && { data_product: p.id }), metadata: { generation: p?.metadata.generation ?? 0 }, spec: { name: '', description: '', tenants: [], ...(p ? p.spec : { visibility: 'PRIVATE' }) }, ...(fields && { fields: FIELDS }) })
  if (method === 'GET') return [200, view(product, true)]
  const made = product ?? store.draft('data-products', body, tenant)
  const after = { ...made, spec: body, status: { owner: tenant, topic } }
  if (dry) return plan('list', 'Topic', topic, view(product, false), view(after, false))
  if (product) {
    product.spec = body
    store.touch(product, {})
  } else store.insert('data-products', after, tenant)
  return [200, view(after, false)]
}
