import { expect, test } from 'vitest'
import type { CostRow } from '../api/types.ts'
import { kindOfId, shortId } from '../app/kinds.ts'
import { narrow, type Entry } from '../app/palette-search.ts'
import { parseSearch, stringifySearch, validateSearch } from '../app/search.ts'
import { parseCertificate } from './api_key/forms.ts'
import { certificateSnippets, snippetsFor } from './cluster/snippets.ts'
import { reasonText, ruleText, valueText } from './alert_rule/alert.ts'
import { attachBody, parseServers } from './broker_pool/attach.ts'
import { movesOf, parsePartitions, resetOf } from './consumer_group/reset.ts'
import { viewOf } from './cost/range.ts'
import { fromCost, periods, seriesOf, sums, toCsv } from './cost/report.ts'
import { attention, type Seen } from './overview/attention.ts'
import { limitTexts, parseLimits, parseSubject, printLimits, subjectText } from './quota/quota.ts'
import { parsePrices } from './rate_card/prices.ts'
import { parsePattern } from './role_binding/pattern.ts'

const nothing: Seen = { planes: [], pools: [], clusters: [], topics: [], keys: [], received: [] }
const now = Date.parse('2026-11-21T12:00:00Z')
const plane = (status: object) => ({ id: 'data_plane_1', spec: { name: 'p' }, status: { phase: 'READY', connected: true, enrolled_at: '2026-11-01T00:00:00Z', ...status } }) as unknown as Seen['planes'][number]
const topic = (name: string, phase: string) => ({ id: `topic_${name}`, spec: { name }, status: { phase } }) as unknown as Seen['topics'][number]

test('a silent data plane goes before a topic that is not ready', () => {
  const found = attention({ ...nothing, planes: [plane({ connected: false, phase: 'DEGRADED', last_seen_at: '2026-11-21T11:46:00Z' })], topics: [topic('b', 'PROVISIONING'), topic('a', 'FAILED')] }, now)
  expect(found.map((f) => f.id)).toEqual(['data_plane_1', 'topic_a', 'topic_b'])
  expect(found[0]?.text).toContain('14 min ago')
})

test('all is well when everything is ready', () => {
  expect(attention({ ...nothing, planes: [plane({})], topics: [topic('a', 'READY')] }, now)).toEqual([])
})

const row = (start: string, topicId: string, amount: string, currency = 'EUR'): CostRow => ({ start, end: start, topic: topicId, meter: 'PRODUCE_BYTES', quantity: 1, amount, currency, unrated: false })

test('sums are exact and never mix currencies', () => {
  const rows = [row('2026-11-21T00:00:00Z', 'a', '0.1'), row('2026-11-21T01:00:00Z', 'a', '0.2'), row('2026-11-21T01:00:00Z', 'a', '5', 'USD')].map(fromCost)
  expect(sums(rows, ['topic']).map((s) => [s.keys.topic, s.amount, s.currency])).toEqual([['a', '0.3', 'EUR'], ['a', '5', 'USD']])
})

test('a quiet hour is a gap, and small series go together', () => {
  const times = periods('2026-11-21T00:00:00Z', '2026-11-21T03:00:00Z', 'HOURLY')
  expect(times).toHaveLength(3)
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  const rows = names.map((n, i) => fromCost(row('2026-11-21T00:00:00Z', n, String(10 - i))))
  const series = seriesOf(rows, ['topic'], 'cost', times)
  expect(series).toHaveLength(7)
  expect(series[0]?.values).toEqual([10, null, null])
  expect(series[6]).toMatchObject({ key: 'others', values: [4 + 3, null, null] })
})

test('the view comes from the address, with sense for nonsense', () => {
  const view = viewOf({ range: 'nonsense', group_by: 'topic,nonsense,principal', measure: 'cost' }, new Date('2026-11-21T12:34:56Z'))
  expect(view).toMatchObject({ range: '24h', start: '2026-11-20T13:00:00.000Z', end: '2026-11-21T13:00:00.000Z', granularity: 'HOURLY', groups: ['topic', 'principal'] })
  expect(viewOf({ range: 'month' }, new Date('2026-11-21T12:34:56Z')).start).toBe('2026-11-01T00:00:00.000Z')
})

test('a spreadsheet does not run what a name says', () => {
  const rows = [{ ...fromCost(row('2026-11-21T00:00:00Z', '=cmd()', '0.5')) }]
  expect(toCsv(rows, ['topic'])).toContain("'=cmd()")
})

test('each snippet carries address and key', () => {
  const access = { bootstrap: 'h:1', username: 'key_1', password: 'weirs_1', topic: 't', group: 'g', native: false, tokenUrl: 'https://weir/v1/oauth/token' }
  for (const snippet of snippetsFor(access)) for (const part of ['h:1', 'key_1', 'weirs_1', ...(snippet.key.startsWith('token') ? ['https://weir/v1/oauth/token'] : [])]) expect(snippet.text).toContain(part)
})

test('a certificate is pasted, never a private key, and its configurations hold no secret', () => {
  expect(parseCertificate('-----BEGIN CERTIFICATE-----\nMII\n').ok).toBe(true)
  expect(parseCertificate('Bag Attributes\n-----BEGIN PUBLIC KEY-----\nMII\n').ok).toBe(true)
  for (const bad of ['MII', '-----BEGIN PRIVATE KEY-----\nMII', '-----BEGIN CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----']) expect(parseCertificate(bad).ok).toBe(false)
  for (const { text } of certificateSnippets({ bootstrap: 'h:1', topic: 't' })) {
    expect(text).toMatch(/security.protocol=ssl/i)
    expect(text).toContain('h:1')
    expect(text).not.toMatch(/sasl|password/i)
  }
})

test('clients of a native cluster have no tokens and no PLAIN', () => {
  const access = { bootstrap: 'h:1', username: 'key_1', password: 'weirs_1', topic: 't', group: 'g', native: true, tokenUrl: 'https://weir/v1/oauth/token' }
  const snippets = snippetsFor(access)
  expect(snippets.length).toBeGreaterThan(3)
  for (const snippet of snippets) {
    expect(snippet.text).not.toContain('oauth')
    expect(snippet.text).not.toContain('mechanisms=PLAIN')
  }
})

test('patterns of roles', () => {
  for (const good of ['*', 'environment=prod/*', 'environment=prod/cluster=cards/topic=pay*']) expect(parsePattern(good).ok).toBe(true)
  for (const bad of ['', 'prod', '*/x', 'environment=pr*/cluster=a', 'environment=']) expect(parsePattern(bad).ok).toBe(false)
})

test('prices need a number in each tier and an end in all but the last', () => {
  const price = (tiers: object[]) => JSON.stringify([{ meter: 'REQUESTS', unit: 'REQUEST', model: 'GRADUATED', tiers }])
  expect(parsePrices(price([{ up_to: '10', unit_price: '0.1' }, { unit_price: '0.05' }])).ok).toBe(true)
  expect(parsePrices(price([{ unit_price: '0.1' }, { unit_price: '0.05' }])).ok).toBe(false)
  expect(parsePrices(price([{ unit_price: 'x' }])).ok).toBe(false)
  expect(parsePrices('').ok).toBe(false)
})

test('ids tell their kind', () => {
  expect(kindOfId('service_account_01j00000000000000000000000')?.one).toBe('service account')
  expect(kindOfId('what_is_this')).toBeUndefined()
  expect(shortId('topic_01j0000000000000000abcdef')).toBe('topic_…abcdef')
})

test('the address holds plain text of known keys only', () => {
  expect(validateSearch(parseSearch('?tenant=tenant_1&evil=1&q=123'))).toEqual({ tenant: 'tenant_1', q: '123' })
  expect(stringifySearch({ tenant: 'tenant_1', q: undefined, do: '' })).toBe('?tenant=tenant_1')
})

test('the palette wants every word and puts beginnings first', () => {
  const entry = (label: string, note = ''): Entry => ({ key: label, label, note, icon: 'topic', to: '/' })
  const entries = [entry('high-risk-payments', 'topic'), entry('payments', 'topic'), entry('payments', 'tenant')]
  expect(narrow(entries, 'pay topic').map((e) => e.label)).toEqual(['payments', 'high-risk-payments'])
})

test('a quota is read from its form and told in words', () => {
  const read = parseLimits(JSON.stringify({ ingress_bytes_per_second: '2 MiB', connections: '5' }))
  expect(read).toEqual({ ok: true, value: { ingress_bytes_per_second: 2_097_152, egress_bytes_per_second: null, requests_per_second: null, connections: 5, partition_mutations_per_second: null, storage_bytes: null } })
  expect(printLimits({ ingress_bytes_per_second: 2_097_152, connections: 5 })).toBe('{"ingress_bytes_per_second":"2 MiB","connections":"5"}')
  for (const bad of ['', '{"connections":""}', '{"connections":"0"}', '{"ingress_bytes_per_second":"unlimited"}', '{"requests_per_second":"x"}']) expect(parseLimits(bad).ok).toBe(false)
  expect(limitTexts({ requests_per_second: 7, connections: 1 })).toEqual(['7 requests/s', '1 connection'])
  expect(limitTexts({ partition_mutations_per_second: 2, storage_bytes: 1_073_741_824 })).toEqual(['2 partition changes/s', '1 GiB stored'])
  expect(parseSubject('{"kind":"SHARED","principals":[]}').ok).toBe(false)
  expect(parseSubject('{"kind":"DEFAULT"}').ok).toBe(true)
  const name = (id: string) => (id === 'a' ? 'app' : undefined)
  expect(subjectText({ kind: 'SHARED', principals: ['a', 'b'] }, name)).toBe('app and 1 other, together')
  expect(subjectText({ kind: 'PRINCIPALS', principals: ['a'] }, name)).toBe('app')
})

test('partitions are written as numbers and ranges', () => {
  expect(parsePartitions('0, 2-4,3')).toEqual({ ok: true, value: [0, 2, 3, 4] })
  expect(parsePartitions('4-2').ok).toBe(false)
  expect(parsePartitions('a').ok).toBe(false)
  expect(parsePartitions('0-999999').ok).toBe(false)
})

test('a reset says where to and of which topic, and nothing that was not asked', () => {
  expect(resetOf({ to: 'SHIFT', by: -5 })).toEqual({ to: { kind: 'SHIFT', by: -5 } })
  expect(resetOf({ to: 'EARLIEST', topic: 'topic_1' })).toEqual({ to: { kind: 'EARLIEST' }, topics: [{ topic: 'topic_1' }] })
  expect(resetOf({ to: 'OFFSET', offset: 7, topic: 'topic_1', partitions: [1] })).toEqual({ to: { kind: 'OFFSET', offset: 7 }, topics: [{ topic: 'topic_1', partitions: [1] }] })
})

test('a plan of a reset is read partition by partition', () => {
  const side = (offset: number | null) => ({ offsets: [{ topic: 'topic_1', topic_name: 'orders', partition: 0, offset }] })
  expect(movesOf(side(null), side(4))).toEqual([{ topic: 'topic_1', topic_name: 'orders', partition: 0, from: null, to: 4 }])
  expect(movesOf(side(9), null)[0]?.to).toBeNull()
})

test('an attached Kafka is named without its password', () => {
  expect(parseServers('a:9092, b.internal:9093\nc:1')).toEqual({ ok: true, value: ['a:9092', 'b.internal:9093', 'c:1'] })
  expect(parseServers('a').ok).toBe(false)
  const body = attachBody({ spec: { name: 'east', data_plane: 'd', bootstrap_servers: ['a:1'], credential: 'east', mechanism: 'PLAIN', username: 'weir' } })
  expect(body.spec).toEqual({ name: 'east', data_plane: 'd', attached: { bootstrap_servers: ['a:1'], credential: 'east', sasl: { mechanism: 'PLAIN', username: 'weir' } } })
})

test('an alert rule is said in words, and a value that nobody knows is not a number', () => {
  const rule = { kind: 'LAG', group: 'billing', threshold: 10_000, for_seconds: 300 } as const
  expect(ruleText(rule)).toBe('lag of billing at 10,000 records or more for 5 min')
  expect(ruleText({ ...rule, topic: 'orders', for_seconds: 0 })).toBe('lag of billing in orders at 10,000 records or more')
  expect(ruleText({ kind: 'STORAGE', threshold: 80, for_seconds: 0 })).toBe('storage at 80 % or more')
  expect(valueText('LAG', { value: 0 })).toBe('0 records')
  expect(valueText('LAG', {})).toBe('unknown')
  expect(reasonText({ reason: 'WITHHELD' })).toContain('withholds')
  expect(reasonText({})).toBeUndefined()
})
