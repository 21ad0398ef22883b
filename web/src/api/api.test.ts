import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Api, CsrfToken } from './client.ts'
import { EventParser } from './events.ts'
import type { Problem} from './problem.ts';
import { isProblem, Unreachable, worthRetrying } from './problem.ts'

let requests: Request[] = []
let respond: () => Response | Promise<Response>

beforeEach(() => {
  requests = []
  // openapi-fetch builds absolute requests; Node's fetch has no page to be relative to.
  vi.stubGlobal('Request', class extends Request {
    constructor(input: RequestInfo | URL, init?: RequestInit) {
      super(typeof input === 'string' && input.startsWith('/') ? `http://weir${input}` : input, init)
    }
  })
  vi.stubGlobal('fetch', async (request: Request) => {
    requests.push(request)
    return respond()
  })
})
afterEach(() => vi.unstubAllGlobals())

const json = (status: number, body: unknown, type = 'application/json') => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': type, 'Request-Id': 'req_1' } })

test('a change carries tenant, CSRF token, idempotency key; a read carries no token', async () => {
  respond = () => json(201, { id: 'x' })
  const csrf = new CsrfToken()
  csrf.keep('csrf_1')
  const api = new Api(csrf, 'tenant_1')
  await api.send({ method: 'post', path: '/v1/topics', body: { spec: {} }, idempotencyKey: 'key_1', query: { dry_run: 'true', cluster: undefined } })
  await api.send({ method: 'get', path: '/v1/topics/{id}', id: 'topic_1' })
  const [post, get] = requests
  expect(post?.headers.get('Weir-Tenant')).toBe('tenant_1')
  expect(post?.headers.get('Weir-Csrf')).toBe('csrf_1')
  expect(post?.headers.get('Idempotency-Key')).toBe('key_1')
  expect(post?.url).toMatch(/\/v1\/topics\?dry_run=true$/)
  expect(get?.headers.get('Weir-Csrf')).toBeNull()
  expect(get?.url).toMatch(/\/v1\/topics\/topic_1$/)
})

test('a change of what was seen says which version was seen', async () => {
  respond = () => json(200, {})
  await new Api(new CsrfToken()).send({ method: 'patch', path: '/v1/topics/{id}', id: 't', body: {}, generation: 7 })
  expect(requests[0]?.headers.get('If-Match')).toBe('"7"')
})

test('a refusal keeps the problem and its request id', async () => {
  respond = () => json(422, { type: 't', title: 'Invalid', status: 422, code: 'invalid', errors: [{ pointer: '/spec/configs/segment.ms', code: 'bad', detail: 'too small' }] }, 'application/problem+json')
  const error = await new Api(new CsrfToken()).send({ method: 'get', path: '/v1/topics' }).catch((e: unknown) => e)
  expect(isProblem(error, 422)).toBe(true)
  expect((error as Problem).requestId).toBe('req_1')
  expect((error as Problem).forField('configs')).toBe('too small')
  expect((error as Problem).forField('name')).toBeUndefined()
  expect((error as Problem).within('configs')).toEqual([{ at: 'segment.ms', detail: 'too small' }])
  expect((error as Problem).within('config')).toEqual([])
  expect(worthRetrying(error)).toBe(false)
})

test('a page from something in between is not shown as the problem', async () => {
  respond = () => new Response('<html>bad gateway</html>', { status: 502, statusText: 'Bad Gateway' })
  const error = await new Api(new CsrfToken()).send({ method: 'get', path: '/v1/topics' }).catch((e: unknown) => e)
  expect(isProblem(error, 502)).toBe(true)
  expect((error as Problem).message).toBe('Bad Gateway')
  expect(worthRetrying(error)).toBe(true)
})

test('nobody answers', async () => {
  respond = () => Promise.reject(new TypeError('Failed to fetch'))
  const error = await new Api(new CsrfToken()).send({ method: 'get', path: '/v1/topics' }).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(Unreachable)
})

test('a deletion without a body is an answer', async () => {
  respond = () => new Response(null, { status: 204 })
  const answer = await new Api(new CsrfToken()).send({ method: 'delete', path: '/v1/topics/{id}', id: 't', generation: 1 })
  expect(answer.status).toBe(204)
})

test('events come in any pieces', () => {
  const text = ': watching\n\nid: 7\nevent: changed\ndata: {"kind":"Topic",\ndata: "id":"t"}\n\nid: 8\ndata: x\r\n\r\n'
  for (const size of [1, 3, 7, text.length]) {
    const parser = new EventParser()
    const events = []
    for (let at = 0; at < text.length; at += size) events.push(...parser.feed(text.slice(at, at + size)))
    expect(events).toEqual([{ id: '7', event: 'changed', data: '{"kind":"Topic",\n"id":"t"}' }, { id: '8', data: 'x' }])
  }
})
