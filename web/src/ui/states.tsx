// The states of a page other than "here it is": loading, empty, error, no permission, nobody answers.
import type { ReactNode } from 'react'
import { isProblem, Problem, Unreachable } from '../api/problem.ts'
import { Button } from './button.tsx'
import { Copyable } from './copyable.tsx'
import { Icon } from './icons.tsx'
import { remedyFor } from './remedies.ts'

export function Skeleton({ lines = 6, label = 'Loading' }: { lines?: number; label?: string }) {
  return (
    <div className="skeleton" role="status" aria-label={label}>
      {Array.from({ length: lines }, (_, i) => <div key={i} className="skeleton-line" />)}
    </div>
  )
}

export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children && <p>{children}</p>}
      {action}
    </div>
  )
}

/** One failure, whole: what, why, what to do, and the request id for whoever is asked. */
export function Failure({ error, again, compact = false }: { error: unknown; again?: () => void; compact?: boolean }) {
  const words = describe(error)
  return (
    <div className={`failure ${words.kind} ${compact ? 'compact' : ''}`} role="alert">
      <Icon name="alert" size={compact ? 16 : 20} />
      <div>
        <strong>{words.title}</strong>
        {words.detail && <p>{words.detail}</p>}
        {words.fields.length > 0 && <ul>{words.fields.map((f) => <li key={f}>{f}</li>)}</ul>}
        {words.remedy && <p className="remedy">{words.remedy}</p>}
        {words.requestId && (
          <p className="request-id">Request <Copyable text={words.requestId} label="Copy request id" /></p>
        )}
        {again && <Button onClick={again}>Try again</Button>}
      </div>
    </div>
  )
}

interface Described {
  kind: 'refused' | 'offline' | 'failed'
  title: string
  detail?: string
  fields: string[]
  remedy?: string
  requestId?: string
}

function describe(error: unknown): Described {
  if (error instanceof Unreachable) {
    return navigator.onLine
      ? { kind: 'offline', title: 'The control plane does not answer', fields: [], remedy: 'Streams keep running without it. This page tries again by itself.' }
      : { kind: 'offline', title: 'You are offline', fields: [], remedy: 'What is shown was read before; it is read again when the network is back.' }
  }
  if (error instanceof Problem) {
    const { document } = error
    return {
      kind: isProblem(error, 403) ? 'refused' : 'failed',
      title: isProblem(error, 403) ? 'You may not see or do this' : (document.title ?? `HTTP ${document.status}`),
      detail: document.detail,
      fields: (document.errors ?? []).map((e) => [e.pointer, e.detail ?? e.code].filter(Boolean).join(': ')),
      remedy: remedyFor(document.code, document.status),
      requestId: document.request_id,
    }
  }
  return { kind: 'failed', title: 'This page failed', detail: error instanceof Error ? error.message : String(error), fields: [] }
}

/** For a part of a page whose other parts are there. */
export function PartMissing({ what, error, again }: { what: string; error: unknown; again?: () => void }) {
  const reason = error instanceof Problem ? (error.document.detail ?? error.message) : error instanceof Error ? error.message : ''
  return (
    <p className="part-missing" role="status">
      <Icon name="alert" /> {what} could not be read{reason ? `: ${reason}` : '.'}
      {again && <Button tone="quiet" onClick={again}>Try again</Button>}
    </p>
  )
}
