// What can go wrong with a call: the server said why (Problem), or nobody answered (Unreachable).

export interface FieldError {
  pointer?: string
  code?: string
  detail?: string
}

export interface ProblemDocument {
  type?: string
  title?: string
  status: number
  detail?: string
  code?: string
  request_id?: string
  errors?: FieldError[]
}

export class Problem extends Error {
  override readonly name = 'Problem'
  readonly document: ProblemDocument

  constructor(document: ProblemDocument) {
    super(document.title ?? `HTTP ${document.status}`)
    this.document = document
  }

  get status(): number {
    return this.document.status
  }

  get code(): string {
    return this.document.code ?? 'unknown'
  }

  get requestId(): string | undefined {
    return this.document.request_id
  }

  /** The error that belongs to one field of a spec, or of an action's body, by its JSON pointer. */
  forField(name: string): string | undefined {
    const found = this.document.errors?.find((e) => e.pointer === `/${name}` || e.pointer === `/spec/${name}` || e.pointer?.startsWith(`/spec/${name}/`))
    return found?.detail ?? found?.code
  }

  /** Every error of one field of a spec, with its place within the field: `sources/0/topic`, or nothing. */
  within(name: string): { at: string; detail: string }[] {
    const place = `/spec/${name}`
    return (this.document.errors ?? []).flatMap(({ pointer = '', code, detail }) =>
      pointer === place || pointer.startsWith(`${place}/`) ? [{ at: pointer.slice(place.length + 1), detail: detail ?? code ?? '' }] : [])
  }
}

export class Unreachable extends Error {
  override readonly name = 'Unreachable'
  constructor(cause: unknown) {
    super('The control plane did not answer', { cause })
  }
}

export function problemOf(response: Response, body: unknown): Problem {
  const requestId = response.headers.get('Request-Id') ?? undefined
  if (body && typeof body === 'object' && 'status' in body) {
    const document = body as ProblemDocument
    return new Problem({ ...document, request_id: document.request_id ?? requestId })
  }
  // A proxy in between may answer with its own page: say so instead of showing its markup.
  return new Problem({ status: response.status, title: response.statusText || `HTTP ${response.status}`, request_id: requestId })
}

export function isProblem(error: unknown, status?: number): error is Problem {
  return error instanceof Problem && (status === undefined || error.status === status)
}

/** Repeating helps only when nobody answered or the server asked to come back; a refusal stays a refusal. */
export function worthRetrying(error: unknown): boolean {
  return error instanceof Unreachable || isProblem(error, 503) || isProblem(error, 429) || isProblem(error, 502)
}
