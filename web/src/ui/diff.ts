// What changed between two JSON values, leaf by leaf; used by plans and by the audit page.
import { formatBytes, formatDuration } from './format.ts'

export interface Leaf {
  path: string
  before?: unknown
  after?: unknown
}

export function diffLeaves(before: unknown, after: unknown): Leaf[] {
  const left = flatten(before)
  const right = flatten(after)
  const paths = [...new Set([...left.keys(), ...right.keys()])]
  return paths
    .filter((path) => JSON.stringify(left.get(path)) !== JSON.stringify(right.get(path)))
    .map((path) => ({ path, before: left.get(path), after: right.get(path) }))
}

function flatten(value: unknown, prefix = '', into = new Map<string, unknown>()): Map<string, unknown> {
  if (value !== null && typeof value === 'object') {
    for (const [key, child] of Object.entries(value)) flatten(child, prefix === '' ? key : `${prefix}.${key}`, into)
  } else if (value !== undefined && value !== null && prefix !== '') {
    into.set(prefix, value)
  }
  return into
}

export function printLeaf(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** A number with a unit in its name, as people say it: `retention_ms` 604800000 is `7 d`. */
export function inWords(path: string, value: unknown): string | undefined {
  if (typeof value !== 'number') return undefined
  if (path.endsWith('_ms')) return formatDuration(value)
  return path.endsWith('_bytes') ? formatBytes(value) : undefined
}
