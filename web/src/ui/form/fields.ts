// A form is a list of fields; this turns its texts into a spec (or field errors) and a spec into texts.
import type { ReactNode } from 'react'
import { parseBytes, parseDuration, parseMoment, parsePairs, parseWhole, printBytes, printDuration, printMoment, printPairs, type Fault, type Parsed } from './parse.ts'

export type FieldKind = 'text' | 'textarea' | 'whole' | 'select' | 'duration' | 'bytes' | 'moment' | 'pairs' | 'email' | 'password' | 'suggest' | 'custom'

export interface Option {
  value: string
  label: string
  hint?: string
}

export interface CustomProps {
  id: string
  text: string
  invalid: boolean
  faults: readonly Fault[]
  /** Faults only if they changed: a part that was taken away takes its own along, and those behind it move up. */
  onChange: (text: string, faults?: readonly Fault[]) => void
}

export interface Field {
  /** Name in the spec; `labels` goes to the metadata, `top` fields to the body beside the spec. */
  name: string
  label: string
  kind: FieldKind
  hint?: string
  required?: boolean
  /** Cannot change once the object exists: shown, not editable, on edit. */
  fixed?: boolean
  /** Folded away until asked for. */
  advanced?: boolean
  place?: 'spec' | 'labels' | 'top'
  options?: readonly Option[]
  initial?: string
  min?: number
  max?: number
  parse?: (text: string) => Parsed
  /** A control of its own (kind `custom`); its text is whatever `parse` understands. */
  render?: (props: CustomProps) => ReactNode
  /** Its control shows what is wrong with its parts where they are. */
  parts?: boolean
  print?: (value: unknown) => string
  /** Shown only when this holds for the texts typed so far. */
  when?: (texts: Texts) => boolean
}

export type Texts = Record<string, string>
/** By name of the field. */
export type Faults = Record<string, readonly Fault[]>

export interface Body {
  spec: Record<string, unknown>
  metadata?: { labels: Record<string, string> }
  [top: string]: unknown
}

export function labelsField(): Field {
  return { name: 'labels', label: 'Labels', kind: 'pairs', place: 'labels', advanced: true, hint: 'One key=value a line; for searching and grouping.' }
}

function parseField(field: Field, text: string): Parsed {
  if (field.parse) return field.parse(text)
  switch (field.kind) {
    case 'whole': return parseWhole(text, field.min, field.max)
    case 'duration': return parseDuration(text)
    case 'bytes': return parseBytes(text)
    case 'moment': return parseMoment(text)
    case 'pairs': return parsePairs(text)
    default: return { ok: true, value: field.kind === 'password' ? text : text.trim() }
  }
}

export function textOf(field: Field, value: unknown): string {
  if (value === undefined || value === null) return ''
  if (field.print) return field.print(value)
  if (field.kind === 'duration') return printDuration(Number(value))
  if (field.kind === 'bytes') return printBytes(Number(value))
  if (field.kind === 'moment') return printMoment(printScalar(value))
  if (field.kind === 'pairs') return printPairs(value as Record<string, unknown>)
  return printScalar(value)
}

function printScalar(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

export function initialTexts(fields: readonly Field[], object?: { spec: object; metadata: { labels?: object } }): Texts {
  const spec = (object?.spec ?? {}) as Record<string, unknown>
  return Object.fromEntries(fields.map((f) => {
    const value = f.place === 'labels' ? object?.metadata.labels : spec[f.name]
    return [f.name, object ? textOf(f, value) : (f.initial ?? '')]
  }))
}

export type Read = { ok: true; body: Body } | { ok: false; errors: Record<string, string>; faults: Faults }

/** Every shown field is read; empty optional ones are left out. */
export function readForm(fields: readonly Field[], texts: Texts): Read {
  const errors: Record<string, string> = {}
  const faults: Faults = {}
  const body: Body = { spec: {} }
  for (const field of fields) {
    if (field.when && !field.when(texts)) continue
    const text = texts[field.name] ?? ''
    if (text.trim() === '') {
      if (field.required) errors[field.name] = `${field.label} is needed`
      continue
    }
    const parsed = parseField(field, text)
    if (!parsed.ok && parsed.faults) faults[field.name] = parsed.faults
    else if (!parsed.ok) errors[field.name] = parsed.error
    else if (field.place === 'labels') body.metadata = { labels: parsed.value as Record<string, string> }
    else if (field.place === 'top') body[field.name] = parsed.value
    else body.spec[field.name] = parsed.value
  }
  return Object.keys(errors).length + Object.keys(faults).length > 0 ? { ok: false, errors, faults } : { ok: true, body }
}

/**
 * The merge patch from what the object says to what the form says: only what changed, `null` for what was emptied.
 * Maps are patched key by key, so that a key removed in the form is removed in the object.
 */
export function patchOf(fields: readonly Field[], before: Texts, after: Texts): Read {
  const changed = fields.filter((f) => !f.fixed && (before[f.name] ?? '') !== (after[f.name] ?? ''))
  const read = readForm(fields.filter((f) => !f.fixed), after)
  if (!read.ok) return read
  const body: Body = { spec: {} }
  for (const field of changed) {
    const value = field.place === 'labels' ? read.body.metadata?.labels : read.body.spec[field.name]
    const next = field.kind === 'pairs' ? patchPairs(before[field.name] ?? '', value as Record<string, string> | undefined) : (value ?? null)
    if (field.place === 'labels') body.metadata = { labels: next as Record<string, string> }
    else body.spec[field.name] = next
  }
  return { ok: true, body }
}

function patchPairs(before: string, after: Record<string, string> = {}): Record<string, string | null> {
  const held = parsePairs(before)
  const gone = held.ok ? Object.keys(held.value).filter((k) => !(k in after)) : []
  return { ...after, ...Object.fromEntries(gone.map((k) => [k, null])) }
}

export function isEmptyPatch(body: Body): boolean {
  return Object.keys(body.spec).length === 0 && !body.metadata
}
