// What a quota says, in words; and the texts of its form read and written.
import type { Quota } from '../../api/types.ts'
import { formatBytes, formatCount, plural } from '../../ui/format.ts'
import { parseBytes, parseWhole, printBytes, type Parsed } from '../../ui/form/parse.ts'

export type Subject = Quota['spec']['subject']
type Limits = Quota['spec']['limits']
export type LimitName = 'ingress_bytes_per_second' | 'egress_bytes_per_second' | 'requests_per_second' | 'connections' | 'partition_mutations_per_second' | 'storage_bytes'

export const LIMITS: readonly { name: LimitName; label: string; bytes: boolean; example: string }[] = [
  { name: 'ingress_bytes_per_second', label: 'Produced bytes a second', bytes: true, example: '5 MiB' },
  { name: 'egress_bytes_per_second', label: 'Fetched bytes a second', bytes: true, example: '20 MiB' },
  { name: 'requests_per_second', label: 'Requests a second', bytes: false, example: '500' },
  { name: 'connections', label: 'Connections at one time', bytes: false, example: '20' },
  { name: 'partition_mutations_per_second', label: 'Partitions created and deleted a second', bytes: false, example: '10' },
  { name: 'storage_bytes', label: 'Bytes stored (everybody together only)', bytes: true, example: '500 GiB' },
]

export const SUBJECTS: readonly { kind: Subject['kind']; label: string }[] = [
  { kind: 'TENANT', label: 'Everybody on the cluster, together' },
  { kind: 'DEFAULT', label: 'Each service account without a quota of its own' },
  { kind: 'PRINCIPALS', label: 'Each of some service accounts' },
  { kind: 'SHARED', label: 'Some service accounts, together' },
]

export const namesPrincipals = (kind: Subject['kind']): boolean => kind === 'PRINCIPALS' || kind === 'SHARED'
export const principalsOf = (subject: Subject): readonly string[] => ('principals' in subject ? subject.principals : [])

export function subjectText(subject: Subject, name: (id: string) => string | undefined): string {
  if (subject.kind === 'TENANT') return 'everybody together'
  if (subject.kind === 'DEFAULT') return 'each without its own'
  const [first, ...rest] = principalsOf(subject)
  const who = `${(first && name(first)) ?? 'a service account'}${rest.length > 0 ? ` and ${plural(rest.length, 'other')}` : ''}`
  return subject.kind === 'SHARED' ? `${who}, together` : who
}

export function limitTexts(limits: Limits): string[] {
  return LIMITS.flatMap(({ name, bytes }) => {
    const value = limits[name]
    if (value === undefined) return []
    const amount = bytes ? formatBytes(value) : formatCount(value)
    switch (name) {
      case 'ingress_bytes_per_second': return [`${amount}/s in`]
      case 'egress_bytes_per_second': return [`${amount}/s out`]
      case 'requests_per_second': return [`${amount} requests/s`]
      case 'connections': return [plural(value, 'connection')]
      case 'partition_mutations_per_second': return [`${plural(value, 'partition change')}/s`]
      case 'storage_bytes': return [`${amount} stored`]
    }
  })
}

/** Form texts of limits, by name. */
export type LimitInputs = Partial<Record<LimitName, string>>

export const readInputs = (text: string): LimitInputs => (text === '' ? {} : (JSON.parse(text) as LimitInputs))

/** Empty ones are null, which takes them out of an existing quota. */
export function parseLimits(text: string): Parsed<Record<string, number | null>> {
  const inputs = readInputs(text)
  const limits: Record<string, number | null> = {}
  for (const { name, label, bytes } of LIMITS) {
    const typed = (inputs[name] ?? '').trim()
    if (typed === '') {
      limits[name] = null
      continue
    }
    const parsed = bytes ? parseBytes(typed) : parseWhole(typed, 1)
    if (!parsed.ok) return { ok: false, error: `${label}: ${parsed.error}` }
    if (parsed.value < 1) return { ok: false, error: `${label}: leave it empty for no limit` }
    limits[name] = parsed.value
  }
  if (Object.values(limits).every((v) => v === null)) return { ok: false, error: 'At least one limit is needed' }
  return { ok: true, value: limits }
}

export function printLimits(value: unknown): string {
  const limits = value as Limits
  return JSON.stringify(Object.fromEntries(LIMITS.flatMap(({ name, bytes }) => {
    const amount = limits[name]
    return amount === undefined ? [] : [[name, bytes ? printBytes(amount) : String(amount)]]
  })))
}

export const readSubject = (text: string): Subject => (text === '' ? { kind: 'TENANT' } : (JSON.parse(text) as Subject))

export function parseSubject(text: string): Parsed<Subject> {
  const subject = readSubject(text)
  if (namesPrincipals(subject.kind) && principalsOf(subject).length === 0) return { ok: false, error: 'Choose at least one service account' }
  return { ok: true, value: subject }
}
