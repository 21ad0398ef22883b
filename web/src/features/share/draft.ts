// What the form of a share holds, and the spec that it becomes. Pure; reading what was typed never fails, only parsing does.
import type { SharedTopic, SharePrice, ShareRecipient } from '../../api/types.ts'
import { parseMoment, printMoment, type Fault, type Parsed } from '../../ui/form/parse.ts'
import { stepsText } from '../job/program.ts'
import type { ContractField } from './contract-fields.ts'
import { stepText } from './share.ts'

export interface RecipientDraft {
  kind: ShareRecipient['kind']
  tenant: string
  email: string
}

export function readRecipient(text: string): RecipientDraft {
  return { kind: 'TENANT', tenant: '', email: '', ...(text === '' ? {} : (JSON.parse(text) as Partial<RecipientDraft>)) }
}

export function parseRecipient(text: string): Parsed<ShareRecipient> {
  const { kind, tenant, email } = readRecipient(text)
  const fault = (at: string, detail: string): Parsed<ShareRecipient> => ({ ok: false, error: detail, faults: [{ at, detail }] })
  switch (kind) {
    case 'LINK': return { ok: true, value: { kind } }
    case 'EMAIL': return /^\S+@\S+\.\S+$/.test(email.trim()) ? { ok: true, value: { kind, email: email.trim() } } : fault('email', 'An e-mail address, such as name@example.com')
    default: return /^tenant_[0-9a-z]{26}$/.test(tenant.trim()) ? { ok: true, value: { kind: 'TENANT', tenant: tenant.trim() } } : fault('tenant', 'The id of a tenant, such as tenant_01j…')
  }
}

export interface PriceDraft {
  currency: string
  per_gib: string
  per_month: string
}

export function readPrice(text: string): PriceDraft {
  return { currency: '', per_gib: '', per_month: '', ...(text === '' ? {} : (JSON.parse(text) as Partial<PriceDraft>)) }
}

/** Nothing is written for a share that costs nothing. */
export function printPrice(value: unknown): string {
  const { currency, per_gib, per_month } = { currency: '', per_gib: '', per_month: '', ...(value as Partial<SharePrice>) }
  return currency === '' && per_gib === '' && per_month === '' ? '' : JSON.stringify({ currency, per_gib, per_month })
}

export function parsePrice(text: string): Parsed<SharePrice> {
  const { currency, per_gib, per_month } = readPrice(text)
  const faults: Fault[] = []
  if (!/^[A-Z]{3}$/.test(currency.trim().toUpperCase())) faults.push({ at: 'currency', detail: 'Three letters, such as EUR' })
  const amount = (at: 'per_gib' | 'per_month', said: string) => {
    const trimmed = said.trim() || '0'
    if (!/^\d+(\.\d{1,12})?$/.test(trimmed)) faults.push({ at, detail: 'An amount, such as 0.20' })
    return trimmed
  }
  const value = { currency: currency.trim().toUpperCase(), per_gib: amount('per_gib', per_gib), per_month: amount('per_month', per_month) }
  return faults.length > 0 ? { ok: false, error: 'See above', faults } : { ok: true, value }
}

export interface TopicDraft {
  topic: string
  alias: string
  start: 'EARLIEST' | 'LATEST' | 'TIMESTAMP'
  /** As a date field has it. */
  at: string
  /** What is shown of records' keys; empty: as the steps say. */
  keys: SharedTopic['keys'] | ''
  /** By path: one of MASKS, or empty for a field that is shown as it is. */
  masks: Readonly<Record<string, string>>
  /** A path that stands in the form and was not added yet: it was meant. */
  path: string
  /** Further steps, as JSON. */
  steps: string
  /** What can be chosen from; nothing of it is sent. */
  fields: readonly ContractField[]
  /** Members that the form does not show. */
  rest: Readonly<Record<string, unknown>>
}

/** Safe to begin with: what the contract marks is not shown, and neither is what was written before. */
export function newTopic(topic: string, fields: readonly ContractField[]): TopicDraft {
  const masks = Object.fromEntries(fields.filter((f) => f.tags.length > 0).map((f) => [f.path, 'REDACT']))
  return { topic, alias: '', start: 'LATEST', at: '', keys: '', masks, path: '', steps: '[]', fields, rest: {} }
}

export const readTopics = (text: string): TopicDraft[] => (text === '' ? [] : (JSON.parse(text) as TopicDraft[]))
export const topicsText = (topics: readonly TopicDraft[]): string => (topics.length === 0 ? '' : JSON.stringify(topics))

export function printTopics(value: unknown): string {
  return topicsText((value as SharedTopic[]).map(({ topic, alias, start, keys, steps, ...rest }) => ({
    topic, alias: alias ?? '', start: start?.kind ?? 'EARLIEST', at: start?.kind === 'TIMESTAMP' ? printMoment(start.timestamp) : '', keys: keys ?? '', masks: {}, path: '', steps: stepsText(steps ?? []), fields: [], rest,
  })))
}

export function parseTopics(text: string): Parsed<SharedTopic[]> {
  const faults: Fault[] = []
  const value = readTopics(text).map((draft, index): SharedTopic => {
    const { topic, alias, rest } = draft
    const at = draft.start === 'TIMESTAMP' ? parseMoment(draft.at) : undefined
    if (at && !at.ok) faults.push({ at: `${index}/start/timestamp`, detail: at.error })
    const further = parseSteps(draft.steps)
    if (!further) faults.push({ at: `${index}/steps`, detail: 'Steps are a list in JSON, such as [{"filter": {"where": "message.amount > 100"}}]' })
    const steps = withMasks(further ?? [], masksOf(draft))
    const start = draft.start === 'TIMESTAMP' ? { kind: draft.start, timestamp: at?.ok ? at.value : '' } : { kind: draft.start }
    return { ...rest, topic, ...(alias.trim() !== '' && { alias: alias.trim() }), start, ...(draft.keys && { keys: draft.keys }), ...(steps.length > 0 && { steps }) }
  })
  if (value.length === 0) return { ok: false, error: 'Choose a topic' }
  return faults.length > 0 ? { ok: false, error: 'See above', faults } : { ok: true, value }
}

/** What is wrong with one of a topic's steps, with the step in words: the form shows masks and further steps apart. */
export function faultText(text: string, { at, detail }: Fault): string {
  const [, topic, step] = /^(\d+)\/steps\/(\d+)/.exec(at) ?? []
  const topics = parseTopics(text)
  const found = topics.ok ? topics.value[Number(topic)]?.steps?.[Number(step)] : undefined
  return found === undefined ? detail : `“${stepText(found)}”: ${detail}`
}

function parseSteps(text: string): unknown[] | undefined {
  try {
    const steps: unknown = JSON.parse(text.trim() === '' ? '[]' : text)
    return Array.isArray(steps) ? steps : undefined
  } catch {
    return undefined
  }
}

/** What is hidden, with the path that is still being typed. */
export function masksOf({ masks, path }: Pick<TopicDraft, 'masks' | 'path'>): Readonly<Record<string, string>> {
  const typed = path.trim()
  return typed === '' || masks[typed] ? masks : { ...masks, [typed]: 'REDACT' }
}

const isFilter = (step: unknown) => typeof step === 'object' && step !== null && 'filter' in step

/** Filters look at records as they were written, and a field has to be there to be masked: masks stand between those and the rest. */
function withMasks(steps: readonly unknown[], masks: Readonly<Record<string, string>>): unknown[] {
  const by = new Map<string, string[]>()
  for (const [path, how] of Object.entries(masks)) if (how !== '') by.set(how, [...(by.get(how) ?? []), path])
  const hidden = [...by].map(([how, fields]) => ({ mask: { fields, how: how.startsWith('KEEP_LAST ') ? { KEEP_LAST: { n: Number(how.slice(10)) } } : how } }))
  const first = steps.findIndex((step) => !isFilter(step))
  const cut = first < 0 ? steps.length : first
  return [...steps.slice(0, cut), ...hidden, ...steps.slice(cut)]
}
