import { expect, test } from 'vitest'
import { invitationToken, forgetInvitation } from '../../app/invitation.ts'
import { fieldsOf } from './contract-fields.ts'
import { faultText, newTopic, parsePrice, parseRecipient, parseTopics, printPrice, printTopics, readTopics, topicsText } from './draft.ts'
import { approvalOf } from './forms.tsx'
import { keysText, nameFor, priceText, standingText, startText, stepText } from './share.ts'

const TOPIC = 'topic_01j00000000000000000000000'

test('steps are said in words, and one that is not known as it stands', () => {
  expect(stepText({ filter: { where: 'message.amount > 100' } })).toBe('only records where message.amount > 100')
  expect(stepText({ mask: { fields: ['card', 'iban'], how: { KEEP_LAST: { n: 4 } } } })).toBe('card, iban all but the last 4 characters starred')
  expect(stepText({ mask: { tags: ['PII'], how: 'REDACT' } })).toBe('fields tagged PII redacted')
  expect(stepText({ mask: { fields: ['id'], how: { HASH: { key: 'pepper' } } } })).toBe('id hashed with the secret pepper')
  expect(stepText({ project: { fields: ['id', 'amount'] } })).toBe('only the fields id, amount')
  expect(stepText({ later: 1 })).toBe('{"later":1}')
})

test('prices and beginnings', () => {
  expect(priceText(undefined)).toBe('free')
  expect(priceText({ currency: 'EUR', per_gib: '0', per_month: '0.00' })).toBe('free')
  expect(priceText({ currency: 'EUR', per_gib: '0.2', per_month: '10' })).toMatch(/^EUR.0\.20 per GiB read and EUR.10\.00 per month$/)
  expect(startText({ kind: 'LATEST' })).toBe('records from the acceptance on')
  expect(startText(undefined)).toContain('still has')
})

test('keys are hidden where something is masked, unless told', () => {
  const [filter, mask] = [{ filter: { where: 'true' } }, { mask: { fields: ['a'], how: 'REDACT' } }]
  expect(keysText(undefined, [filter])).toBe('keys as they are')
  expect(keysText(undefined, [filter, mask])).toBe('keys hashed')
  expect(keysText('WITHHELD', [])).toBe('no keys')
  const told = topicsText([{ ...newTopic(TOPIC, []), keys: 'SHOWN' }])
  expect(parseTopics(told)).toMatchObject({ ok: true, value: [{ keys: 'SHOWN' }] })
  expect(readTopics(printTopics([{ topic: TOPIC, keys: 'HASHED' }]))[0]?.keys).toBe('HASHED')
})

test('the fields of a schema, with what the contract says of them', () => {
  const json = JSON.stringify({ type: 'object', properties: { id: { type: 'string' }, owner: { type: 'object', properties: { iban: { type: ['null', 'string'] } } }, tags: { type: 'array' } } })
  expect(fieldsOf('JSON', json, { '$.owner.iban': ['PII'] })).toEqual([
    { path: 'id', type: 'string', tags: [] }, { path: 'owner.iban', type: 'string', tags: ['PII'] }, { path: 'tags', type: 'array', tags: [] },
  ])
  const avro = JSON.stringify({ type: 'record', name: 'P', fields: [{ name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } }, { name: 'who', type: ['null', { type: 'record', name: 'W', fields: [{ name: 'card', type: 'string' }] }] }] })
  expect(fieldsOf('AVRO', avro, {}).map((f) => `${f.path}:${f.type}`)).toEqual(['at:timestamp-millis', 'who.card:string'])
  expect(fieldsOf('PROTOBUF', 'syntax = "proto3";', {})).toEqual([])
})

test('a topic is offered with what is tagged hidden, and nothing that was written before', () => {
  const draft = newTopic(TOPIC, [{ path: 'iban', type: 'string', tags: ['PII'] }, { path: 'id', type: 'string', tags: [] }])
  expect(parseTopics(topicsText([draft]))).toEqual({ ok: true, value: [{ topic: TOPIC, start: { kind: 'LATEST' }, steps: [{ mask: { fields: ['iban'], how: 'REDACT' } }] }] })
})

test('masks stand behind the filters and before the rest', () => {
  const draft = { ...newTopic(TOPIC, []), masks: { card: 'KEEP_LAST 4', note: '' }, steps: '[{"filter": {"where": "true"}}, {"project": {"fields": ["card"]}}]' }
  const read = parseTopics(topicsText([draft]))
  expect(read.ok && read.value[0]?.steps).toEqual([{ filter: { where: 'true' } }, { mask: { fields: ['card'], how: { KEEP_LAST: { n: 4 } } } }, { project: { fields: ['card'] } }])
})

test('a fault names its step, also where masks stand between', () => {
  const text = topicsText([{ ...newTopic(TOPIC, []), masks: { card: 'REDACT' }, steps: '[{"filter": {"where": "a >"}}]' }])
  expect(faultText(text, { at: '0/steps/0/filter/where', detail: 'A value was expected' })).toBe('“only records where a >”: A value was expected')
  expect(faultText(text, { at: '0/steps/1/mask', detail: 'No such field' })).toBe('“card redacted”: No such field')
  expect(faultText(text, { at: '0/topic', detail: 'Gone' })).toBe('Gone')
})

test('a path that was typed and not added is masked, too', () => {
  const read = parseTopics(topicsText([{ ...newTopic(TOPIC, []), path: ' customer.name ' }]))
  expect(read.ok && read.value[0]?.steps).toEqual([{ mask: { fields: ['customer.name'], how: 'REDACT' } }])
})

test('what is shared reads back as it was', () => {
  const topics = [{ topic: TOPIC, alias: 'pay', contract_version: 3, start: { kind: 'EARLIEST' as const }, steps: [{ mask: { fields: ['a'], how: 'REDACT' } }] }]
  const text = printTopics(topics)
  expect(readTopics(text)[0]?.rest).toEqual({ contract_version: 3 })
  expect(parseTopics(text)).toEqual({ ok: true, value: topics })
  expect(parseTopics(topicsText([{ ...newTopic(TOPIC, []), steps: '{' }]))).toMatchObject({ ok: false, faults: [{ at: '0/steps' }] })
})

test('a recipient is a tenant, an address, or whoever has the link', () => {
  expect(parseRecipient('')).toMatchObject({ ok: false, faults: [{ at: 'tenant' }] })
  expect(parseRecipient('{"kind":"EMAIL","email":" a@b.example "}')).toEqual({ ok: true, value: { kind: 'EMAIL', email: 'a@b.example' } })
  expect(parseRecipient('{"kind":"EMAIL","email":"nobody"}').ok).toBe(false)
  expect(parseRecipient('{"kind":"LINK","tenant":"left over"}')).toEqual({ ok: true, value: { kind: 'LINK' } })
})

test('a price is whole or not there', () => {
  expect(printPrice(undefined)).toBe('')
  expect(parsePrice('{"currency":"eur","per_gib":"0.2"}')).toEqual({ ok: true, value: { currency: 'EUR', per_gib: '0.2', per_month: '0' } })
  expect(parsePrice('{"currency":"euro","per_gib":"-1"}')).toMatchObject({ ok: false, faults: [{ at: 'currency' }, { at: 'per_gib' }] })
})

test('the name of a share comes from the topic', () => {
  expect(nameFor('payments', new Set())).toBe('payments')
  expect(nameFor('Payments.dead_letter', new Set(['payments-dead-letter']))).toBe('payments-dead-letter-2')
  expect(nameFor('42', new Set())).toBe('share')
})

test('the token of an invitation outlives its address until it is used', () => {
  expect(invitationToken('#weiri_1')).toBe('weiri_1')
  expect(invitationToken('')).toBe('weiri_1')
  forgetInvitation()
  expect(invitationToken('')).toBeUndefined()
})

test('an approval is one topic of a share, with its bounds beside it', () => {
  const topics = parseTopics(topicsText([newTopic(TOPIC, [{ path: 'iban', type: 'string', tags: ['tagged'] }, { path: 'id', type: 'string', tags: [] }])]))
  expect(topics.ok && approvalOf({ topics: topics.value, fetch_bytes_per_second: 1 })).toEqual({
    steps: [{ mask: { fields: ['iban'], how: 'REDACT' } }], start: { kind: 'LATEST' }, fetch_bytes_per_second: 1,
  })
  // Nothing masked is said, or it would be what the contract tags.
  const plain = parseTopics(topicsText([newTopic(TOPIC, [])]))
  expect(plain.ok && approvalOf({ topics: plain.value })).toEqual({ steps: [], start: { kind: 'LATEST' } })
})

test('what one who finds a data product has to do with it', () => {
  const product = (status: object) => ({ status }) as unknown as Parameters<typeof standingText>[0]
  expect(standingText(product({}))).toBe('')
  expect(standingText(product({ access_request: 'access_request_01' }))).toBe('access requested')
  expect(standingText(product({ received_share: 'received_share_01' }))).toBe('shared with you')
})
