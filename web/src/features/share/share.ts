// A share in words. Pure.
import type { DataProduct, Share, SharePrice, ShareRecipient, SharedTopic, ShareStart } from '../../api/types.ts'
import { formatMoney, formatTime } from '../../ui/format.ts'

type Members = Record<string, unknown>
const isMembers = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value)
const isZero = (amount: string | undefined) => !amount || Number(amount) === 0

export const priceText = (price: SharePrice | undefined | null): string => {
  if (!price || (isZero(price.per_gib) && isZero(price.per_month))) return 'free'
  const parts = [
    !isZero(price.per_gib) && `${formatMoney(price.per_gib, price.currency)} per GiB read`,
    !isZero(price.per_month) && `${formatMoney(price.per_month, price.currency)} per month`,
  ]
  return parts.filter(Boolean).join(' and ')
}

export function startText(start: ShareStart | undefined): string {
  switch (start?.kind) {
    case 'LATEST': return 'records from the acceptance on'
    case 'TIMESTAMP': return `records from ${formatTime(start.timestamp, 'minute')} on`
    default: return 'everything that the topic still has'
  }
}

/** What is shown of records' keys. They often are what a mask is to hide: unless told, whoever masks hides them, too. */
export function keysText(keys: SharedTopic['keys'], steps: readonly unknown[]): string {
  switch (keys ?? (steps.some((step) => !isMembers(step) || !('filter' in step)) ? 'HASHED' : 'SHOWN')) {
    case 'SHOWN': return 'keys as they are'
    case 'WITHHELD': return 'no keys'
    default: return 'keys hashed'
  }
}

export const MASKS = [
  { value: 'REDACT', label: 'redacted', short: 'Redact' },
  { value: 'KEEP_LAST 4', label: 'all but the last 4 characters starred', short: 'Keep the last 4' },
  { value: 'NULL', label: 'emptied', short: 'Empty' },
] as const

export function maskedText(how: string | undefined): string {
  switch (how) {
    case undefined: return 'as it is'
    case 'REDACT': return 'redacted'
    case 'NULL': return 'emptied'
    case 'HASH': return 'hashed'
    case 'KEEP_LAST': return 'starred but for its end'
    default: return how.toLowerCase()
  }
}

function howText(how: unknown): string {
  if (isMembers(how)) {
    const last = isMembers(how['KEEP_LAST']) ? how['KEEP_LAST']['n'] : undefined
    if (typeof last === 'number') return `all but the last ${last} characters starred`
    const key = isMembers(how['HASH']) ? how['HASH']['key'] : undefined
    if (typeof key === 'string') return `hashed with the secret ${key}`
    return JSON.stringify(how)
  }
  return maskedText(typeof how === 'string' ? how : undefined)
}

/** What one who finds a data product has to do with it already. */
export function standingText({ status }: DataProduct): string {
  if (status.received_share) return 'shared with you'
  return status.access_request ? 'access requested' : ''
}

export function visibilityText(visibility: string): string {
  switch (visibility) {
    case 'PRIVATE': return 'Nobody but your tenant finds it'
    case 'PUBLIC': return 'every tenant of this installation'
    default: return visibility.toLowerCase()
  }
}

const list = (value: unknown): string[] => (Array.isArray(value) ? value.filter((it) => typeof it === 'string') : [])

/** What a step does, as a part of a sentence; one that is not known here as it stands. */
export function stepText(step: unknown): string {
  if (!isMembers(step)) return JSON.stringify(step)
  const { filter, mask, project } = step
  if (isMembers(filter) && typeof filter['where'] === 'string') return `only records where ${filter['where']}`
  if (isMembers(project)) return `only the fields ${list(project['fields']).join(', ')}`
  if (isMembers(mask)) {
    const tags = list(mask['tags'])
    const what = [list(mask['fields']).join(', '), tags.length > 0 && `fields tagged ${tags.join(', ')}`].filter(Boolean).join(' and ')
    return `${what} ${howText(mask['how'])}`
  }
  return JSON.stringify(step)
}

export function recipientText(recipient: ShareRecipient, tenantName: (id: string) => string): string {
  switch (recipient.kind) {
    case 'TENANT': return tenantName(recipient.tenant)
    case 'EMAIL': return recipient.email
    case 'LINK': return 'whoever has the link'
    // Clients meet kinds that they do not know.
    default: return 'somebody'
  }
}

const OPEN = new Set(['INVITED', 'PREVIEWED', 'ACTIVE'])
/** Offered or in use: it can still be changed, moved and revoked. */
export const isOpen = (share: { status: { phase: string } }): boolean => OPEN.has(share.status.phase)
export const isActive = (share: { status: { phase: string } }): boolean => share.status.phase === 'ACTIVE'
/** Nobody took it, or it has ended: it can be offered anew. */
export const canResend = (share: Share): boolean => !isActive(share)

export function enforcedText(phase: string, enforced: boolean): string {
  if (phase === 'INVITED' || phase === 'PREVIEWED') return 'nothing is shown before it is accepted'
  return enforced ? 'every live gateway obeys' : 'not every live gateway obeys yet'
}

const NAME_MAX = 63

/** A name that a share may have, from a topic's, that no other share has. */
export function nameFor(topic: string, taken: ReadonlySet<string>): string {
  const plain = topic.toLowerCase().replaceAll(/[^a-z0-9-]+/g, '-').replace(/^[^a-z]+/, '').slice(0, NAME_MAX - 4).replace(/-+$/, '') || 'share'
  if (!taken.has(plain)) return plain
  for (let n = 2; ; n += 1) if (!taken.has(`${plain}-${n}`)) return `${plain}-${n}`
}
