// Text of a form field to a value of the API and back. Pure; the same rules on create and edit.

/** What is wrong within a value that has parts: where in it, such as `sources/0/topic`, and a sentence. */
export interface Fault {
  at: string
  detail: string
}

export type Parsed<T = unknown> = { ok: true; value: T } | { ok: false; error: string; faults?: readonly Fault[] }

const DURATIONS: Record<string, number> = {
  ms: 1, s: 1000, sec: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000,
}
const SIZES: Record<string, number> = {
  b: 1, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3, tib: 1024 ** 4, kb: 1000, mb: 1000 ** 2, gb: 1000 ** 3, tb: 1000 ** 4,
}

export function parseWhole(text: string, min?: number, max?: number): Parsed<number> {
  const cleaned = text.trim().replaceAll(/[ ,_]/g, '')
  if (!/^-?\d+$/.test(cleaned)) return { ok: false, error: 'A whole number is needed' }
  const value = Number(cleaned)
  if (!Number.isSafeInteger(value)) return { ok: false, error: 'This number is too large' }
  if (min !== undefined && value < min) return { ok: false, error: `At least ${min}` }
  if (max !== undefined && value > max) return { ok: false, error: `At most ${max}` }
  return { ok: true, value }
}

function parseWithUnit(text: string, units: Record<string, number>, example: string): Parsed<number> {
  const cleaned = text.trim().toLowerCase()
  if (cleaned === 'unlimited' || cleaned === '-1') return { ok: true, value: -1 }
  let total = 0
  let rest = cleaned
  while (rest !== '') {
    const part = /^(\d+(?:\.\d+)?)\s*([a-z]+)\s*/.exec(rest)
    const size = part ? units[part[2] ?? ''] : undefined
    if (!part || size === undefined) return { ok: false, error: `Write a number and a unit, such as ${example}, or "unlimited"` }
    total += Number(part[1]) * size
    rest = rest.slice(part[0].length)
  }
  if (cleaned === '') return { ok: false, error: `Write a number and a unit, such as ${example}` }
  if (!Number.isSafeInteger(total)) return { ok: false, error: 'This does not come to a whole number' }
  return { ok: true, value: total }
}

/** `7 d`, `1 h 30 min`, `unlimited` to milliseconds; unlimited is Kafka's -1. */
export const parseDuration = (text: string): Parsed<number> => parseWithUnit(text, DURATIONS, '7 d')

/** `1 GiB`, `500 MB`, `unlimited` to bytes. */
export const parseBytes = (text: string): Parsed<number> => parseWithUnit(text, SIZES, '1 GiB')

/** One `key=value` a line. */
export function parsePairs(text: string): Parsed<Record<string, string>> {
  const pairs: Record<string, string> = {}
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '') continue
    const at = line.indexOf('=')
    if (at <= 0) return { ok: false, error: `Line ${index + 1}: write key=value` }
    const key = line.slice(0, at).trim()
    if (key in pairs) return { ok: false, error: `Line ${index + 1}: ${key} is there twice` }
    pairs[key] = line.slice(at + 1).trim()
  }
  return { ok: true, value: pairs }
}

export function printPairs(pairs: Record<string, unknown> | undefined): string {
  return Object.entries(pairs ?? {}).map(([k, v]) => `${k}=${String(v)}`).join('\n')
}

/** The largest unit that loses nothing, so that an edit without a change stays one. */
function printWithUnit(value: number, units: readonly [string, number][]): string {
  if (value < 0) return 'unlimited'
  const [name, size] = units.find(([, s]) => value >= s && value % s === 0) ?? units[units.length - 1]!
  return `${value / size} ${name}`
}

export const printDuration = (ms: number): string =>
  printWithUnit(ms, [['d', 86_400_000], ['h', 3_600_000], ['min', 60_000], ['s', 1000], ['ms', 1]])

export const printBytes = (bytes: number): string =>
  printWithUnit(bytes, [['TiB', 1024 ** 4], ['GiB', 1024 ** 3], ['MiB', 1024 ** 2], ['KiB', 1024], ['B', 1]])

/** A local date and time (`datetime-local`) to RFC 3339 in UTC. */
export function parseMoment(text: string): Parsed<string> {
  const at = new Date(text)
  if (Number.isNaN(at.getTime())) return { ok: false, error: 'A date and time is needed' }
  return { ok: true, value: at.toISOString() }
}

export function printMoment(iso: string): string {
  const at = new Date(iso)
  if (Number.isNaN(at.getTime())) return ''
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 16)
}

/** Names as the control plane takes them for environments, clusters, pools and accounts. */
export function parseName(text: string): Parsed<string> {
  const value = text.trim()
  if (!/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value)) {
    return { ok: false, error: 'Lower-case letters, digits and hyphens; it starts with a letter; 63 at most' }
  }
  return { ok: true, value }
}

/** Kafka's topic names, less those that Kafka keeps for itself. */
export function parseTopicName(text: string): Parsed<string> {
  const value = text.trim()
  if (!/^[a-zA-Z0-9._-]{1,200}$/.test(value)) return { ok: false, error: 'Letters, digits, dot, underscore and hyphen; 200 at most' }
  if (value === '.' || value === '..' || value.startsWith('__')) return { ok: false, error: 'This name is reserved by Kafka' }
  return { ok: true, value }
}
