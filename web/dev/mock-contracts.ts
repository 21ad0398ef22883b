// Contracts of the mock: what stands, a plan that looks at little, a lineage and service levels of its topics.
import type { MockObject, Store } from './mock-store.ts'

const SCHEMA = JSON.stringify({
  title: 'Payment', type: 'object', required: ['id', 'amount', 'currency'],
  properties: { id: { type: 'string' }, amount: { type: 'integer', description: 'In cents' }, currency: { type: 'string' }, iban: { type: 'string' }, note: { type: 'string' } },
})
const RULES = { domainRules: [{ name: 'positive', kind: 'CONDITION', mode: 'WRITE', type: 'CEL', expr: 'message.amount > 0', onFailure: 'DLQ', doc: 'Refunds have a topic of their own' }] }
const PROPERTIES = { owner: 'cards', lifecycle: 'STABLE', classification: 'CONFIDENTIAL', description: 'Card payments as they are accepted', 'service_level.freshness': '5 m', 'service_level.completeness': '99.5 percent' }

interface Version extends Record<string, unknown> {
  version: number
}
const VERSIONS = new Map<string, Version[]>()

export function seedContracts(store: Store, environment: string, tenant: string): void {
  for (const [subject, versions] of [['payments-value', 3], ['customers-value', 1]] as const) {
    const made = store.draft('contracts', { environment, subject }, tenant)
    VERSIONS.set(made.id, Array.from({ length: versions }, (_, at) => versionOf(made.id, at + 1, { schema_type: 'JSON', schema: SCHEMA, rule_set: at === 0 ? undefined : RULES, metadata: { properties: PROPERTIES, tags: { '$.iban': ['PII'] } } })))
    tell(made)
    store.insert('contracts', made, tenant, true)
  }
  const spec = { display_name: 'Somebody owns it', expression: 'contract.owner != ""', message: 'Say by the property owner whose it is.', mode: 'ENFORCE' }
  store.insert('contract-lint-rules', Object.assign(store.draft('contract-lint-rules', spec, tenant), {}), tenant, true)
}

function versionOf(contract: string, version: number, spec: Record<string, unknown>): Version {
  const { tags = {}, properties = {} } = (spec.metadata ?? {}) as Record<string, object>
  return { kind: 'ContractVersionDetail', contract, version, format: spec.schema_type, schema: spec.schema, schema_id: 100_000 + version, guid: '0f0e7c54-0000-4000-8000-000000000000', references: spec.references ?? [], rule_set: spec.rule_set, tags, properties }
}

function tell(contract: MockObject): void {
  const versions = VERSIONS.get(contract.id) ?? []
  const last = versions.at(-1)!
  const properties = last.properties as Record<string, string>
  contract.status = {
    phase: 'READY', compatibility: contract.spec.compatibility ?? 'BACKWARD', versions: versions.map((v) => v.version), owner: properties.owner, lifecycle: properties.lifecycle, classification: properties.classification, properties,
    latest: { version: last.version, format: last.format, has_rules: last.rule_set !== undefined, schema_id: last.schema_id },
  }
}

/** What only contracts answer; nothing for the rest. */
export function contractAnswer(store: Store, method: string, segments: string[], query: URLSearchParams, body: Record<string, unknown>, tenant: string | undefined): unknown {
  const [collection, id = '', part, number] = segments
  if (collection === 'lineage') return lineage(store, tenant)
  if (collection === 'topics' && part === 'service-levels') return levels(store, id, tenant)
  if (collection === 'topics' && part === 'violations') return { kind: 'TopicViolations', records: 0, violating: 0, violations: [], truncated: false, minutes: [] }
  if (collection === 'contracts' && method === 'GET' && id === '' && query.get('q')) return { kind: 'ContractList', metadata: {}, data: store.list('contracts', tenant).filter((c) => JSON.stringify(c.spec).includes(query.get('q')!)) }
  if (collection !== 'contracts') return undefined
  if (method === 'GET' && part === 'versions') return VERSIONS.get(id)?.find((v) => String(v.version) === number)
  if (method !== 'POST') return undefined
  const spec = body.spec as Record<string, unknown>
  const versions = VERSIONS.get(id) ?? []
  const next = versionOf(id, versions.length + 1, { ...spec, metadata: spec.metadata ?? versions.at(-1), rule_set: spec.rule_set ?? versions.at(-1)?.rule_set })
  if (query.get('dry_run') === 'true') return plan(store, next, versions.at(-1), tenant)
  if (id === '') {
    const made = store.draft('contracts', { environment: spec.environment, subject: spec.subject }, tenant)
    VERSIONS.set(made.id, [{ ...next, contract: made.id }])
    tell(made)
    return store.insert('contracts', made, tenant)
  }
  VERSIONS.set(id, [...versions, next])
  tell(store.get(id)!)
  return next
}

function plan(store: Store, next: Version, before: Version | undefined, tenant: string | undefined): unknown {
  const [writer, reader] = store.list('service-accounts', tenant)
  const topic = store.list('topics', tenant)[0]!
  const owned = (next.properties as Record<string, string>).owner !== undefined
  const required = (v: Version | undefined) => ((JSON.parse((v?.schema as string | undefined) ?? '{}') as { required?: string[] }).required ?? []).length
  const breaks = before !== undefined && next.format === 'JSON' && required(next) > required(before)
  const bare = (v: Version | undefined) => String(v?.schema).replace(/\s/g, '')
  const changed = before !== undefined && bare(before) !== bare(next)
  const account = (object: MockObject) => ({ service_account_id: object.id, display_name: object.spec.name, topic_id: topic.id, last_hour_at: new Date(Date.now() - 9e5).toISOString() })
  return {
    accepted: owned && !breaks, version: owned && !breaks ? next.version : null, unchanged: false,
    problems: [
      ...(owned ? [] : [{ source: 'LINT', rule: 'Somebody owns it', message: store.list('contract-lint-rules', tenant).at(-1)?.spec.message ?? 'Say whose it is.', blocking: true }]),
      ...(breaks ? [{ source: 'COMPATIBILITY', rule: 'REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL', path: '#/required', message: 'A required property is new.', blocking: true }] : []),
      { source: 'LINT', rule: 'Every field is explained', path: '$.note', message: 'Explain what the field is for.', blocking: false },
    ],
    changes: changed ? [{ part: 'SCHEMA', path: '$.note', breaking: true, message: 'the field is gone' }, { part: 'SCHEMA', path: '$.country', breaking: false, message: 'a new field that may be absent' }] : [],
    impact: { topics: [{ topic_id: topic.id, name: topic.spec.name, cluster_id: topic.spec.cluster, enforcement: 'REJECT' }], writers: [account(writer!)], readers: [account(reader!)], jobs: [], truncated: false },
  }
}

function lineage(store: Store, tenant: string | undefined): unknown {
  const [writer, scorer] = store.list('service-accounts', tenant)
  const topics = store.list('topics', tenant)
  const contract = store.list('contracts', tenant)[0]!
  const seen = { last_seen_at: new Date(Date.now() - 2.4e5).toISOString() }
  const node = (kind: string, object: MockObject, name: unknown, detail?: string) => ({ id: `${kind}:${object.id}`, kind, object_id: object.id, name, detail })
  const [payments, dead, risky, fraud] = topics
  return {
    nodes: [
      node('SERVICE_ACCOUNT', writer!, writer!.spec.name), node('SERVICE_ACCOUNT', scorer!, scorer!.spec.name), ...[payments!, dead!, risky!, fraud!].map((t) => node('TOPIC', t, t.spec.name, 'REJECT')),
      node('CONTRACT', contract, contract.spec.subject, 'version 3'), { id: 'CONSUMER_GROUP:billing', kind: 'CONSUMER_GROUP', name: 'billing-of-all-countries-nightly', detail: 'Stable' },
    ],
    edges: [
      { from: `SERVICE_ACCOUNT:${writer!.id}`, to: `TOPIC:${payments!.id}`, kind: 'PRODUCES', bytes_last_day: 48_200_000_000, ...seen },
      { from: `TOPIC:${payments!.id}`, to: `SERVICE_ACCOUNT:${scorer!.id}`, kind: 'CONSUMES', bytes_last_day: 48_100_000_000, ...seen },
      { from: `TOPIC:${payments!.id}`, to: 'CONSUMER_GROUP:billing', kind: 'CONSUMES' },
      { from: `SERVICE_ACCOUNT:${scorer!.id}`, to: `TOPIC:${risky!.id}`, kind: 'PRODUCES', bytes_last_day: 310_000_000, ...seen },
      { from: `SERVICE_ACCOUNT:${scorer!.id}`, to: `TOPIC:${fraud!.id}`, kind: 'PRODUCES', bytes_last_day: 4_000_000, ...seen },
      { from: `CONTRACT:${contract.id}`, to: `TOPIC:${payments!.id}`, kind: 'GOVERNS' },
      { from: `TOPIC:${payments!.id}`, to: `TOPIC:${dead!.id}`, kind: 'DEAD_LETTERS' },
    ],
    groups: 'KNOWN', truncated: false,
  }
}

function levels(store: Store, topic: string, tenant: string | undefined): unknown {
  if (store.get(topic)?.spec.name !== 'payments') return { levels: [] }
  const contract = store.list('contracts', tenant)[0]!.id
  const of = (name: string, state: string, objective: unknown, measured: unknown, spent: number, allowed: number) => ({ name, objective, contract_id: contract, version: 3, state, measured, measured_at: new Date(Date.now() - 31_000).toISOString(), target_percent: 99, budget: { window_days: 30, allowed_minutes: allowed, spent_minutes: spent, unknown_minutes: 12, remaining_ratio: 1 - spent / allowed } })
  return { levels: [
    of('freshness', 'OK', { value: 5, unit: 'm' }, { value: 8, unit: 's' }, 97, 432),
    of('completeness', 'BREACHED', { value: 99.5, unit: 'percent' }, { value: 98.71, unit: 'percent' }, 511, 432),
    { ...of('availability', 'NO_DATA', { value: 99.9, unit: 'percent' }, null, 0, 43.2), reason: 'NO_REPORT', message: 'Nobody has reported on it in the last minutes.' },
  ] }
}
