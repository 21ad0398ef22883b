// What the engine is asked and answers: crates/contract-engine, whose names these are.

/** A version of a contract as somebody writes it; `references` with their texts, dependencies first. */
export interface Draft {
  schemaType: 'AVRO' | 'JSON' | 'PROTOBUF'
  schema: string
  references: { name: string; schema: string }[]
  metadata?: object
  ruleSet?: object
}

/** Something that registry or gateway would refuse; line and column count from 1, in the schema or in a rule's expression. */
export interface Problem {
  source: 'SCHEMA' | 'RULE_SET'
  path?: string
  line?: number
  column?: number
  message: string
}

/** A field of the schema; `path` is how tags name it, `depth` how many fields it stands in. */
export interface Column {
  path: string
  name: string
  depth: number
  type: string
  required: boolean
  doc?: string
  tags: string[]
}

export interface Inspection {
  ok: boolean
  problems: Problem[]
  columns: Column[]
}

export interface Violation {
  kind: string
  rule?: string
  path: string
  reason: string
  /** May quote the record. */
  detail?: string
}

/** What a gateway would say of one record; `record` is its place among those asked about, from 0. */
export interface Verdict {
  record: number
  valid: boolean
  violations: Violation[]
}

export interface Change {
  part: string
  change: string
  severity: 'INFO' | 'SAFE' | 'BREAKING'
  breaking: boolean
  concerns: ('PRODUCERS' | 'CONSUMERS')[]
  path: string
  message: string
}

export interface Comparison {
  compatible: boolean
  findings: { rule: string; direction: 'BACKWARD' | 'FORWARD'; path: string; message: string; against: number }[]
  changes: Change[]
}

export type Request =
  | { inspect: Draft }
  | { judge: { draft: Draft; records: string[] } }
  | { compare: { before: Draft; after: Draft; level: string } }

export type Answer<T> = { ok: T } | { problems: Problem[] } | { unread: string }
