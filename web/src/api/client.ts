// The one door to the public API: headers of every call, and every failure turned into one of two errors.
import createClient, { type Middleware } from 'openapi-fetch'
import { Problem, Unreachable, problemOf } from './problem.ts'
import type { paths } from './schema'

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

export interface Call {
  method: Method
  path: keyof paths
  id?: string
  /** What else stands in the path. */
  params?: Record<string, string>
  query?: Record<string, string | undefined>
  body?: unknown
  /** Generation that the caller saw; sent as If-Match so that a change made meanwhile is not overwritten. */
  generation?: number
  /** Makes a repeated POST answer like the first one. */
  idempotencyKey?: string
  signal?: AbortSignal
}

export interface Answer<T> {
  data: T
  status: number
}

/** Holds the CSRF token in memory only; a reload reads it again from the session. */
export class CsrfToken {
  private held: string | undefined

  get value(): string | undefined {
    return this.held
  }

  keep(token: string | undefined): void {
    this.held = token
  }
}

export class Api {
  readonly tenant: string | undefined
  readonly csrf: CsrfToken
  private readonly client

  constructor(csrf: CsrfToken, tenant?: string) {
    this.csrf = csrf
    this.tenant = tenant
    this.client = createClient<paths>({ baseUrl: '/', credentials: 'same-origin' })
    this.client.use(this.identity())
  }

  async send<T>(call: Call): Promise<Answer<T>> {
    const headers: Record<string, string> = {}
    if (call.generation !== undefined) headers['If-Match'] = `"${call.generation}"`
    if (call.method === 'post') headers['Idempotency-Key'] = call.idempotencyKey ?? crypto.randomUUID()
    if (call.method === 'patch') headers['Content-Type'] = 'application/merge-patch+json'
    const query = Object.fromEntries(Object.entries(call.query ?? {}).filter(([, v]) => v !== undefined && v !== ''))
    // The path is checked against the generated document by this method's callers; openapi-fetch's own
    // per-path generics cannot follow a path that is a variable.
    const request = this.client.request as unknown as UntypedRequest
    const init = { params: { query, path: { id: call.id, ...call.params } }, headers, signal: call.signal, body: call.body }
    let result
    try {
      result = await request(call.method, call.path, init)
    } catch (cause) {
      if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
      if (cause instanceof SyntaxError) throw new Problem({ status: 502, title: 'Unreadable answer', code: 'unreadable_answer' })
      throw new Unreachable(cause)
    }
    if (!result.response.ok) throw problemOf(result.response, result.error)
    return { data: result.data as T, status: result.response.status }
  }

  /** A long answer read piece by piece; used by the event stream. */
  async stream(path: string, lastEventId: string | undefined, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { Accept: 'text/event-stream' }
    if (this.tenant) headers['Weir-Tenant'] = this.tenant
    if (lastEventId) headers['Last-Event-ID'] = lastEventId
    return fetch(path, { headers, signal, credentials: 'same-origin' })
  }

  private identity(): Middleware {
    return {
      onRequest: ({ request }) => {
        if (this.tenant) request.headers.set('Weir-Tenant', this.tenant)
        if (request.method !== 'GET' && this.csrf.value) request.headers.set('Weir-Csrf', this.csrf.value)
        return request
      },
    }
  }
}

type UntypedRequest = (
  method: Method,
  path: string,
  init: Record<string, unknown>,
) => Promise<{ data?: unknown; error?: unknown; response: Response }>
