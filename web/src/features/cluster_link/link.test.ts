import { expect, test } from 'vitest'
import { lagText, parseTopics, printTopics, readTopics, topicsText } from './link.ts'

test('topics of a link are read as they were written', () => {
  const wished = [{ topic: 'topic_1', name: 'copy' }, { topic: 'topic_2' }]
  expect(parseTopics(printTopics(wished))).toEqual({ ok: true, value: wished })
  expect(readTopics('')).toEqual([])
  expect(parseTopics(topicsText([]))).toEqual({ ok: true, value: [] })
})

test('a name that is none is told where it stands', () => {
  const parsed = parseTopics(topicsText([{ topic: 'topic_1', name: '' }, { topic: 'topic_2', name: 'a b' }]))
  expect(parsed).toMatchObject({ ok: false, faults: [{ at: '1/name' }] })
})

test('what is left to copy is said in words', () => {
  expect([lagText(undefined), lagText(null), lagText(0), lagText(1), lagText(1200)]).toEqual(['not known yet', 'not known yet', 'nothing', '1 record', '1,200 records'])
})
