import { expect, test } from 'vitest'
import { BEGINNING, PART, parseContract, printContract, readContract, subjectText } from './contract.ts'

const text = (change: object) => JSON.stringify({ ...BEGINNING, ...change })

test('a contract goes into the form and comes back whole, so that a change is merged well', () => {
  expect(printContract({ enforcement: 'REJECT', value: { strategy: 'RECORD_NAME' } })).toBe(
    JSON.stringify({ enforcement: 'REJECT', key: null, value: { strategy: 'RECORD_NAME', unframed: 'REFUSED' }, dead_letter_topic: null }),
  )
  expect(parseContract(text({ key: PART }))).toEqual({ ok: true, value: { ...BEGINNING, key: PART } })
  expect(parseContract('')).toEqual({ ok: true, value: null })
  expect(readContract('')).toBeUndefined()
})

test('what cannot be is said before anybody is asked', () => {
  expect(parseContract(text({ value: null })).ok).toBe(false)
  expect(parseContract(text({ enforcement: 'DLQ' })).ok).toBe(false)
  expect(parseContract(text({ enforcement: 'DLQ', dead_letter_topic: 'topic_1' }))).toMatchObject({ value: { dead_letter_topic: 'topic_1' } })
})

test('dead letters of a mode that makes none are forgotten', () => {
  expect(parseContract(text({ enforcement: 'REJECT', dead_letter_topic: 'topic_1' }))).toMatchObject({ value: { dead_letter_topic: null } })
})

test('subjects are named as serializers name them', () => {
  expect(subjectText('payments', 'value', 'TOPIC_NAME')).toBe('payments-value')
})
