// The facts of an audit event, wherever the envelope keeps them.
import type { AuditEvent } from '../../api/types.ts'
import { nameOf } from '../../app/kinds.ts'

export interface AuditFacts {
  who: string
  action: string
  kind: string
  object: string
  before?: unknown
  after?: unknown
  request_id: string
  occurred_at: string
}

export function factsOf(event: AuditEvent): AuditFacts {
  const { who, action, object_kind, object, before, after, request_id, occurred_at } = event
  return { who, action, kind: object_kind, object, before, after, request_id, occurred_at }
}

/** The name that the object had after the change, or before it was gone. */
export function objectName(event: AuditEvent): string | undefined {
  const { before, after, object } = factsOf(event)
  const shown = (after ?? before) as { id?: string; spec?: object } | undefined
  return shown?.spec ? nameOf({ id: object, spec: shown.spec }) : undefined
}
