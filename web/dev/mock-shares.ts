// Sharing of the mock: the switch, shares given and taken, invitations, and mounts. An answer says its status.
import { randomUUID } from 'node:crypto'
import { type MockObject, type Store } from './mock-store.ts'

type Put = (collection: string, spec: Record<string, unknown>, status?: Record<string, unknown>, tenant?: string, minutes?: number, labels?: object) => MockObject
type Members = Record<string, unknown>

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()
const SWITCH = new Map<string, { gives: boolean; receives: boolean }>()
/** By token, the share. */
const TOKENS = new Map<string, string>()
const UNREAD = { mounts: 0, enforced: true, last_read_at: null, read_bytes: 0, read_records: 0, recipient_tenant: null, decided_at: null, terms_accepted_at: null, invitation_expires_at: null }
export const SEEDED_TOKEN = 'weiri_mock00000000000000000000'

export function seedShares(put: Put, store: Store, payments: string, risk: string): void {
  SWITCH.set(payments, { gives: true, receives: true })
  const topic = (name: string) => store.list('topics', payments).find((t) => t.spec.name === name)!
  const shared = topic('payments')
  const masked = { topic: shared.id, alias: 'card-payments', steps: [{ filter: { where: 'message.amount > 10000' } }, { mask: { fields: ['iban'], how: { KEEP_LAST: { n: 4 } } } }, { project: { fields: ['id', 'amount', 'currency', 'iban'] } }], start: { kind: 'LATEST' } }
  const base = { cluster: shared.spec.cluster, terms: '', description: '' }
  const terms = 'For the scoring of fraud alone.\nNot to be passed on to third parties, and deleted after thirty days.'
  put('shares', { ...base, name: 'cards-for-risk', description: 'Payments over 100, IBANs starred', topics: [masked, { topic: topic('customers').id, steps: [], start: { kind: 'EARLIEST' } }], recipient: { kind: 'TENANT', tenant: risk }, terms, fetch_bytes_per_second: 10_485_760, price: { currency: 'EUR', per_gib: '0.20', per_month: '10' }, expires_at: inDays(88) },
    { ...UNREAD, phase: 'ACTIVE', provider: payments, recipient_tenant: risk, recipient_name: 'Risk', mounts: 2, last_read_at: ago(40), read_bytes: 48_200_000_000, read_records: 193_000_412, decided_at: ago(2000), terms_accepted_at: ago(2000) }, payments, 2100, { team: 'cards' })
  const linked = put('shares', { ...base, name: 'fraud-for-auditors', topics: [{ topic: topic('suspected-fraud').id, steps: [], start: { kind: 'LATEST' } }], recipient: { kind: 'LINK' }, terms, price: { currency: 'EUR', per_gib: '0.5', per_month: '0' }, expires_at: inDays(30) }, { ...UNREAD, phase: 'INVITED', provider: payments, invitation_expires_at: inDays(6) }, payments, 60)
  TOKENS.set(SEEDED_TOKEN, linked.id)
  put('shares', { ...base, name: 'trial-for-bureau', topics: [{ topic: topic('customers').id, start: { kind: 'EARLIEST' } }], recipient: { kind: 'EMAIL', email: 'data@bureau.example' } }, { ...UNREAD, phase: 'REVOKED', provider: payments, decided_at: ago(300) }, payments, 9000)
  const theirs = { terms: 'Scores may be wrong; nobody is told of them.', description: 'Scores of the last year', price: { currency: 'EUR', per_gib: '0', per_month: '250' }, cluster: 'cluster_0', recipient: { kind: 'TENANT', tenant: payments } }
  put('shares', { ...theirs, name: 'risk-scores', topics: [{ topic: topic('high-risk-payments').id, alias: 'scores', steps: [{ mask: { fields: ['iban'], how: 'REDACT' } }], start: { kind: 'EARLIEST' } }], expires_at: inDays(200), fetch_bytes_per_second: 5_242_880 }, { ...UNREAD, phase: 'INVITED', provider: risk, recipient_tenant: payments }, risk, 30)
  const taken = put('shares', { ...theirs, terms: '', price: undefined, name: 'watch-lists', description: '', topics: [{ topic: topic('customers').id, alias: 'watch-list', start: { kind: 'EARLIEST' } }] }, { ...UNREAD, phase: 'ACTIVE', provider: risk, recipient_tenant: payments, mounts: 1, last_read_at: ago(3000), read_bytes: 81_234_567, read_records: 91_002, decided_at: ago(9000) }, risk, 9100)
  mount(store, taken, String(shared.spec.cluster), 'risk.', payments)
}

const receivedId = (share: MockObject) => share.id.replace('share_', 'received_share_')
const givenId = (id: string) => id.replace('received_share_', 'share_')
const topicsOf = (share: MockObject) => share.spec.topics as { topic: string; alias?: string; steps?: unknown[]; start?: unknown; keys?: string; encryption?: unknown }[]
const keysOf = (t: { steps?: unknown[]; keys?: string }) => t.keys ?? (/"(mask|project)"/.test(JSON.stringify(t.steps ?? [])) ? 'HASHED' : 'SHOWN')
const aliasOf = (store: Store, shared: { topic: string; alias?: string }) => shared.alias ?? ((store.get(shared.topic)?.spec.name as string | undefined) ?? 'topic')

function mount(store: Store, share: MockObject, cluster: string, prefix: string, tenant: string): void {
  for (const shared of topicsOf(share)) {
    const made = store.draft('topics', { cluster, name: prefix + aliasOf(store, shared), partitions: 0, retention_ms: -1, retention_bytes: -1, cleanup_policy: 'DELETE', configs: {} }, tenant)
    made.status = { phase: 'READY', observed_partitions: 6, mount: { received_share: receivedId(share) } }
    store.insert('topics', made, tenant, true)
  }
}

const mountsOf = (store: Store, share: MockObject, tenant: string | undefined) => store.list('topics', tenant).filter((t) => (t.status.mount as { received_share?: string } | undefined)?.received_share === receivedId(share))

const without = (members: Members, names: string[]): Members => Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)))

/** As the recipient sees it. */
function received(store: Store, share: MockObject): MockObject {
  const { provider, recipient_tenant, ...status } = without(share.status, ['invitation_expires_at'])
  const spec = without(share.spec, ['recipient', 'cluster', 'topics'])
  const theirs = topicsOf(share)
  const mounts = mountsOf(store, share, recipient_tenant as string | undefined).map((t, at) => ({ topic: t.id, cluster: t.spec.cluster, name: t.spec.name, alias: aliasOf(store, theirs[at]!), phase: t.status.phase }))
  const topics = theirs.map((t) => ({ alias: aliasOf(store, t), changed: (t.steps ?? []).length > 0, start: t.start ?? { kind: 'EARLIEST' }, keys: keysOf(t), encrypted: t.encryption !== undefined }))
  return { ...share, kind: 'ReceivedShare', id: receivedId(share), spec: { ...spec, topics }, status: { ...status, provider_tenant: provider, provider_name: store.get(String(provider))?.spec.display_name ?? 'Risk', mounts } }
}

function previewOf(store: Store, share: MockObject): unknown {
  const seen = received(store, share)
  const masks = (steps: unknown[]) => JSON.stringify(steps)
  const fields = (steps: unknown[]) => [['id', 'string'], ['amount', 'int'], ['currency', 'string'], ['iban', 'string'], ['customer.name', 'string']].map(([path, type]) => ({ path, type, ...(masks(steps).includes(`"${path!}"`) && masks(steps).includes('mask') && { masked: masks(steps).includes('KEEP_LAST') ? 'KEEP_LAST' : 'REDACT' }) }))
  const topics = topicsOf(share).map((t) => ({ alias: aliasOf(store, t), changed: (t.steps ?? []).length > 0, start: t.start ?? { kind: 'EARLIEST' }, keys: keysOf(t), encrypted: t.encryption !== undefined, filtered: JSON.stringify(t.steps ?? []).includes('filter'), fields: fields(t.steps ?? []) }))
  return { kind: 'SharePreview', id: seen.id, phase: share.status.phase, provider_name: store.get(String(share.status.provider))?.spec.display_name, spec: seen.spec, topics, ...(share.spec.recipient && (share.spec.recipient as Members).kind !== 'TENANT' ? { invitation_expires_at: inDays(6) } : {}) }
}

export interface ShareRequest {
  store: Store
  method: string
  segments: string[]
  query: URLSearchParams
  body: Members
  tenant: string | undefined
}
export type ShareAnswer = [status: number, body: unknown]

const refusal = (status: number, code: string, title: string, detail: string, errors: unknown[] = []): ShareAnswer => [status, { type: `/docs/errors#${code}`, title, status, detail, code, request_id: 'req_mock', errors }]
const off = () => refusal(403, 'sharing_off', 'Sharing is off', 'The tenant has not turned sharing on.')

/** What only sharing answers; nothing for the rest. `preview` of an invitation is answered to whoever asks. */
export function shareAnswer(request: ShareRequest): ShareAnswer | undefined {
  const { store, method, segments, body, tenant = store.me().spec.tenant as string | undefined } = request
  const [collection, id, action] = segments
  const dry = request.query.get('dry_run') === 'true'
  const sharing = SWITCH.get(tenant ?? '') ?? { gives: false, receives: false }
  if (collection === 'sharing') {
    if (method === 'GET') return [200, sharing]
    if (dry) return [200, { kind: 'Plan', changes: [{ action: 'UPDATE', kind: 'sharing', id: 'sharing', before: sharing, after: body }] }]
    SWITCH.set(tenant ?? '', body as typeof sharing)
    return [200, body]
  }
  if (collection === 'share-invitations') {
    const share = store.get(TOKENS.get(String(body.token)) ?? '')
    if (!share) return refusal(404, 'wrong_invitation', 'No such invitation', 'The token is not one that can be taken.')
    if (id === 'preview') return [200, previewOf(store, share)]
    if (!sharing.receives) return off()
    TOKENS.delete(String(body.token))
    store.touch(share, { recipient_tenant: tenant, phase: 'PREVIEWED', invitation_expires_at: null })
    return [200, received(store, share)]
  }
  const of = (side: string, whose: string | undefined) => store.list('shares', undefined).filter((s) => !whose || s.status[side] === whose)
  if (collection === 'received-shares') {
    if (!id) return [200, { kind: 'ReceivedShareList', metadata: {}, data: of('recipient_tenant', tenant).map((s) => received(store, s)) }]
    const share = store.get(givenId(id))
    if (!share) return refusal(404, 'not_found', 'Not found', 'There is no such share, or it is not visible to you.')
    if (!action) return [200, received(store, share)]
    return actOn(request, share, action, tenant, dry)
  }
  if (collection !== 'shares') return undefined
  if (method === 'GET' && !id) return [200, { kind: 'ShareList', metadata: {}, data: of('provider', tenant).filter((s) => !request.query.get('topic') || JSON.stringify(s.spec.topics).includes(request.query.get('topic')!)) }]
  if (method === 'POST' && !sharing.gives) return off()
  if (method === 'POST' && !id) return create(request, tenant, dry)
  const share = store.get(id ?? '')
  if (share && action && method === 'POST') return provide(request, share, action, dry)
  return undefined
}

function create({ store, body }: ShareRequest, tenant: string | undefined, dry: boolean): ShareAnswer {
  const spec = body.spec as Members
  if (/[=!&|>]\s*"/.test(JSON.stringify(spec.topics))) return refusal(422, 'invalid', 'Not valid', 'The expression ends too early.', [{ pointer: '/spec/topics/0/steps/0/filter/where', code: 'bad_expression', detail: 'A value was expected (line 1, column 18)' }])
  if ((spec.recipient as Members).tenant === tenant) return refusal(422, 'invalid', 'Not valid', 'A tenant does not share with itself.', [{ pointer: '/spec/recipient/tenant', code: 'bad_reference', detail: 'That is your own tenant.' }])
  const made = store.draft('shares', spec, tenant, body.metadata)
  made.status = { ...UNREAD, phase: 'INVITED', provider: tenant, recipient_tenant: (spec.recipient as Members).tenant ?? null }
  if (dry) return [200, { kind: 'Plan', changes: [{ action: 'CREATE', kind: 'Share', id: made.id, after: made }] }]
  return [201, { ...store.insert('shares', made, tenant), ...invite(made) }]
}

function invite(share: MockObject): Members {
  if ((share.spec.recipient as Members).kind === 'TENANT') return {}
  const token = `weiri_${randomUUID().replaceAll('-', '')}`
  TOKENS.set(token, share.id)
  share.status.invitation_expires_at = inDays(7)
  return { invitation: { token, expires_at: inDays(7), url: `http://127.0.0.1:22500/share-invitation#${token}` } }
}

function planned(before: MockObject, after: MockObject): ShareAnswer {
  return [200, { kind: 'Plan', changes: [{ action: 'UPDATE', kind: before.kind, id: before.id, before, after }] }]
}

/** What its provider does with a share. */
function provide({ store, body }: ShareRequest, share: MockObject, action: string, dry: boolean): ShareAnswer {
  const after = structuredClone(share)
  if (body.expires_at) after.spec.expires_at = body.expires_at
  after.status.phase = { revoke: 'REVOKED', resend: 'INVITED' }[action] ?? share.status.phase
  if (action === 'revoke') Object.assign(after.status, { enforced: false, decided_at: new Date().toISOString(), mounts: 0 })
  if (dry) return planned(share, after)
  share.spec = after.spec
  store.touch(share, after.status)
  setTimeout(() => store.touch(share, { enforced: true }), 2500)
  return [200, { ...share, ...(action === 'resend' ? invite(share) : {}) }]
}

/** What its recipient does with a share. */
function actOn({ store, body }: ShareRequest, share: MockObject, action: string, tenant: string | undefined, dry: boolean): ShareAnswer {
  if (action === 'preview') {
    if (share.status.phase === 'INVITED') store.touch(share, { phase: 'PREVIEWED' })
    return [200, previewOf(store, share)]
  }
  if (action === 'accept' && share.spec.terms && body.terms_accepted !== true) return refusal(422, 'invalid', 'Not valid', 'The share has terms.', [{ pointer: '/terms_accepted', code: 'terms', detail: 'Agree to the terms.' }])
  if (action === 'accept' && body.name_prefix === 'taken.') return refusal(422, 'invalid', 'Not valid', 'A name is not one.', [{ pointer: '/name_prefix', code: 'bad_name', detail: 'A topic of this name is there already.' }])
  const before = received(store, share)
  const phase = { accept: 'ACTIVE', decline: 'DECLINED', leave: 'LEFT' }[action] ?? 'LEFT'
  if (dry) return planned(before, { ...before, status: { ...before.status, phase } })
  const accepted = action === 'accept'
  if (accepted) mount(store, share, String(body.cluster), String((body.name_prefix as string | undefined) ?? ''), tenant ?? '')
  else for (const gone of mountsOf(store, share, tenant)) store.remove(gone)
  store.touch(share, { phase, decided_at: new Date().toISOString(), mounts: accepted ? topicsOf(share).length : 0, enforced: false, ...(accepted && share.spec.terms ? { terms_accepted_at: new Date().toISOString() } : {}) })
  setTimeout(() => store.touch(share, { enforced: true }), 2500)
  return [200, received(store, share)]
}
