// Patterns of resource names that a role is bound on. Pure.
import type { Parsed } from '../../ui/form/parse.ts'

/** Segments kind=name, a star only at the end. */
export function parsePattern(text: string): Parsed<string> {
  const value = text.trim()
  const segment = /^[a-z_]+=[A-Za-z0-9._-]+\*?$/
  const segments = value.split('/')
  const fits = value === '*' || segments.every((s, i) => (s === '*' && i === segments.length - 1) || (segment.test(s) && (!s.endsWith('*') || i === segments.length - 1)))
  return fits ? { ok: true, value } : { ok: false, error: 'Write *, or kind=name parts with a slash between, and a star only at the end' }
}
