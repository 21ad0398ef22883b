import { expect, test } from 'vitest'
import { historyOf } from './history.ts'
import { changeText, parseSuspend, rateText, wishText } from './job.ts'
import { parseProgram, printProgram, readDraft, stepsText } from './program.ts'

const program = {
  kind: 'ACTION', source: { topic: 'topic_1', start: 'LATEST' }, steps: [{ filter: { where: 'true' } }],
  sinks: [{ name: 'out', topic: 'topic_2', encoding: 'KEEP' }], null_values: 'PASS',
}

test('a program survives the form', () => {
  const read = parseProgram(printProgram(program))
  expect(read).toEqual({ ok: true, value: { ...program, dead_letter: null } })
})

test('what is missing in a program is said', () => {
  const held = readDraft(printProgram(program))
  const draft = (part: object) => JSON.stringify({ ...held, action: { ...held.action, ...part } })
  for (const [part, word] of [[{ steps: '[{' }, 'JSON'], [{ steps: '{}' }, 'list'], [{ source: '' }, 'read'], [{ sinks: [{ name: 'out', topic: '', encoding: 'KEEP' }] }, 'sink']] as const) {
    const read = parseProgram(draft(part))
    expect(read.ok ? '' : read.error).toContain(word)
  }
  expect(parseProgram(draft({ steps: '' }))).toMatchObject({ ok: true, value: { steps: [] } })
})

test('one step stands on a line', () => {
  expect(stepsText([])).toBe('[]')
  expect(stepsText([{ validate: {} }, { drop: { fields: ['a'] } }])).toBe('[\n  {"validate":{}},\n  {"drop":{"fields":["a"]}}\n]')
})

test('what is wished, in words', () => {
  expect(wishText({ desired_state: 'STOPPED' })).toBe('stopped')
  expect(wishText({ desired_state: 'AUTO_SUSPEND', auto_suspend: { idle_after_seconds: 60, wake_lag_records: 1, wake_within_seconds: 30 } })).toContain('asleep after')
  expect(parseSuspend('9').ok).toBe(false)
})

test('what became of the workers', () => {
  const say = (outcome: string, given = 1) => changeText({ outcome, workers: 1, workers_wanted: 4, workers_given: given })
  expect([say('SCALE', 3), say('HOLD'), say('SUSPEND'), say('WAKE'), say('RAISE_MEMORY')]).toEqual(['1 → 3', '1, not 4', 'fell asleep', 'woke', '1, with more memory'])
  expect([rateText(null), rateText(812.4)]).toEqual(['–', '812/s'])
})

test('decisions become lines, the oldest first; what nobody knew is a gap', () => {
  const decision = (at: string, outcome: string, lag: number | null) => ({ at, outcome, lag, workers: 1, workers_given: 2, workers_wanted: 3, reason: 'BACKLOG', also: [], kind: 'JobScalingDecision' })
  const { times, panels, marks } = historyOf([decision('2026-01-01T00:01:00Z', 'SCALE', null), decision('2026-01-01T00:00:00Z', 'HOLD', 7)])
  expect(times.map((t) => t - times[0]!)).toEqual([0, 60])
  expect(marks).toEqual([1])
  expect(panels.map((panel) => panel.series.map((s) => s.values))).toEqual([[[2, 2], [3, 3]], [[null, null], [null, null]], [[7, null]]])
})
