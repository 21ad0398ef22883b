// A stand-in for the API while working on the console without a control plane (`npm run dev`, `npm run preview`).
// In memory only; never part of the build. Real behaviour is tested against the real stack.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Connect, Plugin } from 'vite'
import { contractAnswer } from './mock-contracts.ts'
import { decisionsOf, noteProgram, refusedProgram, versionsOf } from './mock-jobs.ts'
import { settle } from './mock-links.ts'
import { reportFor } from './mock-reports.ts'
import { seed } from './mock-seed.ts'
import { productAnswer } from './mock-products.ts'
import { shareAnswer, type ShareAnswer } from './mock-shares.ts'
import { Store, KIND_OF_PATH, type MockObject } from './mock-store.ts'

const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

export function mockApi(): Plugin {
  const store = new Store()
  seed(store)
  const handler: Connect.NextHandleFunction = (request, response, next) => {
    if (!request.url?.startsWith('/v1/')) return next()
    void serve(store, request, response)
  }
  return {
    name: 'weir-mock-api',
    configureServer: (server) => void server.middlewares.use(handler),
    configurePreviewServer: (server) => {
      // The built console is tried under the policy that it will live under.
      server.middlewares.use((_request, response, next) => {
        response.setHeader('Content-Security-Policy', POLICY)
        next()
      })
      server.middlewares.use(handler)
    },
  }
}

interface Exchange {
  store: Store
  method: string
  segments: string[]
  query: URLSearchParams
  body: Record<string, unknown>
  tenant: string | undefined
}

async function serve(store: Store, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://mock')
  const segments = url.pathname.slice(4).split('/')
  if (segments[0] === 'events') return store.watch(request, response)
  if (segments[0] === 'sessions') return session(store, request, response)
  // Nobody need be signed in to look at an invitation.
  if (segments.join('/') === 'share-invitations/preview') return shareJson(response, shareAnswer({ store, method: 'POST', segments, query: url.searchParams, body: await bodyOf(request), tenant: undefined }))
  if (!request.headers.cookie?.includes('weir_session=mock')) return problem(response, 401, 'unauthenticated', 'Not signed in', 'Sign in first.')
  const tenant = request.headers['weir-tenant']
  const exchange: Exchange = { store, method: request.method ?? 'GET', segments, query: url.searchParams, body: await bodyOf(request), tenant: typeof tenant === 'string' ? tenant : undefined }
  await new Promise((resolve) => setTimeout(resolve, 60))
  answer(exchange, response)
}

function answer(exchange: Exchange, response: ServerResponse): void {
  const { store, segments, query, method, tenant } = exchange
  const [collection = '', id, action] = segments
  const told = contractAnswer(store, method, segments, query, exchange.body, tenant)
  if (told !== undefined) return json(response, method === 'POST' && query.get('dry_run') !== 'true' ? 201 : 200, told)
  const shared = productAnswer(exchange) ?? shareAnswer(exchange)
  if (shared) return shareJson(response, shared)
  if (collection === 'usage' || collection === 'costs') return json(response, 200, reportFor(store, collection, query, tenant))
  if (collection === 'service-quotas') return json(response, 200, { kind: 'ServiceQuotaList', data: [{ name: 'topics', limit: 500, used: store.list('topics', tenant).length }, { name: 'clusters', limit: 10, used: store.list('clusters', tenant).length }] })
  if (collection === 'audit-events') return json(response, 200, { kind: 'AuditEventList', metadata: {}, data: store.auditOf(tenant) })
  if (!KIND_OF_PATH[collection]) return problem(response, 404, 'no_route', 'No such path', `Nothing answers at ${collection}.`)
  if (method === 'GET' && !id) return list(exchange, response)
  const object = id ? store.get(id) : undefined
  if (id && !object) return problem(response, 404, 'not_found', 'Not found', 'There is no such object, or it is not visible to you.')
  if (method === 'GET' && action === 'scaling-decisions') return json(response, 200, decisionsOf(object!))
  if (method === 'GET') return json(response, 200, action === 'extent' ? store.extent(object!) : action === 'versions' && collection === 'jobs' ? versionsOf(object!) : object)
  change(exchange, object, action, response)
}

function list({ store, segments, query, tenant }: Exchange, response: ServerResponse): void {
  const rows = store.list(segments[0] ?? '', tenant).filter((o) => [...query.entries()].every(([key, value]) => matches(o, key, value, tenant)))
  json(response, 200, { kind: `${KIND_OF_PATH[segments[0] ?? '']}List`, metadata: {}, data: rows })
}

function matches(object: MockObject, key: string, value: string, tenant: string | undefined): boolean {
  if (key.startsWith('page_') || key === 'q') return true
  if (key === 'direction') return (object.status.owner_tenant === tenant) === (value === 'offered')
  return !(key in object.spec) || object.spec[key] === value
}

function change({ store, method, segments, query, body, tenant }: Exchange, object: MockObject | undefined, action: string | undefined, response: ServerResponse): void {
  const dry = query.get('dry_run') === 'true'
  const collection = segments[0] ?? ''
  const spec = (body.spec ?? {}) as Record<string, unknown>
  if (method === 'POST' && !object) {
    if (spec.name && store.list(collection, tenant).some((o) => o.spec.name === spec.name)) {
      return problem(response, 409, 'name_taken', 'The name is taken', `There is already one named ${JSON.stringify(spec.name)}.`, [{ pointer: '/spec/name', code: 'name_taken', detail: 'This name is taken.' }])
    }
    if (typeof spec.expression === 'string' && /[=!&|]\s*$/.test(spec.expression)) return problem(response, 422, 'invalid', 'Not valid', 'The expression ends too early.', [{ pointer: '/spec/expression', code: 'bad_expression', detail: 'A value was expected (line 1, column 18)' }])
    const refused = refusedProgram(spec)
    if (refused.length > 0) return problem(response, 422, 'invalid', 'Not valid', `${refused.length} fields are wrong.`, refused)
    const made = store.draft(collection, spec, tenant, body.metadata)
    noteProgram(made)
    if (made.kind === 'ClusterLink' && !dry) settle(store, made)
    if (dry) return json(response, 200, { kind: 'Plan', changes: [{ action: 'create', kind: made.kind, id: made.id, after: made }] })
    return json(response, 201, { ...store.insert(collection, made, tenant), ...store.secretsFor(made) })
  }
  const before = structuredClone(object!)
  const after = structuredClone(object!)
  if (method === 'PATCH') after.spec = merged(after.spec, spec) as typeof after.spec
  if (dry) return json(response, 200, { kind: 'Plan', changes: [{ action: method === 'DELETE' ? 'delete' : 'update', kind: before.kind, id: before.id, before, after: method === 'DELETE' ? undefined : after }] })
  if (method === 'DELETE') {
    store.remove(object!)
    response.writeHead(204).end()
    return
  }
  if (method === 'PATCH') {
    const changed = store.update(object!, after)
    noteProgram(changed)
    if (changed.kind === 'ClusterLink') settle(store, changed, { phase: spec.desired_state === 'PAUSED' ? 'STOPPED' : 'RUNNING' }, { phase: spec.desired_state === 'PAUSED' ? 'STOPPED' : 'RUNNING' })
    return json(response, 200, changed)
  }
  if (action === 'enrollment-tokens') return json(response, 200, store.secretsFor(object!).enrollment)
  object!.status.phase = { accept: 'ACTIVE', decline: 'DECLINED', revoke: 'REVOKED' }[action ?? ''] ?? object!.status.phase
  json(response, 200, object)
}

/** A member as sessions tell it. */
function who(store: Store): unknown {
  const me = store.me()
  return { ...me, tenant: me.spec.tenant }
}

async function session(store: Store, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const signedIn = request.headers.cookie?.includes('weir_session=mock')
  const answerBody = { token: 'weirt_mock', csrf_token: 'mock', expires_at: new Date(Date.now() + 8.64e7).toISOString(), member: who(store) }
  if (request.method === 'POST') {
    const body = await bodyOf(request)
    if (body.password === 'wrong') return problem(response, 401, 'bad_credentials', 'Not signed in', 'E-mail or password is wrong.')
    store.email = String(body.email)
    response.setHeader('Set-Cookie', 'weir_session=mock; HttpOnly; SameSite=Strict; Path=/')
    return json(response, 201, { ...answerBody, member: who(store) })
  }
  if (request.method === 'DELETE') {
    response.setHeader('Set-Cookie', 'weir_session=; Max-Age=0; Path=/')
    response.writeHead(204).end()
    return
  }
  if (!signedIn) return problem(response, 401, 'unauthenticated', 'Not signed in', 'Sign in first.')
  json(response, 200, answerBody)
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
}

/** A merge patch, as RFC 7396 has it. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const held = typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {}
  const parts = Object.entries(patch).map(([name, part]) => [name, merged((held as Record<string, unknown>)[name], part)])
  return Object.fromEntries([...Object.entries(held), ...parts].filter(([name]) => (patch as Record<string, unknown>)[name as string] !== null))
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Request-Id': 'req_mock' })
  response.end(JSON.stringify(body))
}

function shareJson(response: ServerResponse, answered: ShareAnswer | undefined): void {
  const [status, body] = answered ?? [404, {}]
  json(response, status, body)
}

function problem(response: ServerResponse, status: number, code: string, title: string, detail: string, errors: unknown[] = []): void {
  response.writeHead(status, { 'Content-Type': 'application/problem+json', 'Request-Id': 'req_mock' })
  response.end(JSON.stringify({ type: `/docs/errors#${code}`, title, status, detail, code, request_id: 'req_mock', errors }))
}
