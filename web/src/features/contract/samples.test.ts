import { expect, test } from 'vitest'
import { samplesOf, SAMPLE_CHARS_MAX, SAMPLES_MAX } from './samples.ts'
import { offsetOf } from '../../ui/code-editor.tsx'

test('one record a line, each with its line; empty ones are none', () => {
  expect(samplesOf('\n{"a":1}\n\n  {nonsense\n')).toEqual({ samples: [{ line: 2, text: '{"a":1}' }, { line: 4, text: '{nonsense' }], beyond: 0 })
})

test('a single record may be set out in lines', () => {
  expect(samplesOf('\n{\n  "a": 1\n}\n')).toEqual({ samples: [{ line: 2, text: '{\n  "a": 1\n}' }], beyond: 0 })
})

test('what is pasted is bounded, and what is left out is counted', () => {
  expect(samplesOf('1\n'.repeat(SAMPLES_MAX + 3))).toMatchObject({ beyond: 3 })
  const line = `"${'x'.repeat(99_998)}"\n`
  const many = samplesOf(line.repeat(5))
  expect(many.samples).toHaveLength(Math.floor(SAMPLE_CHARS_MAX / line.length))
  expect(many.beyond).toBe(3)
})

test('a problem is found in the text by its line and column', () => {
  expect(offsetOf('ab\ncd\nef', 2, 2)).toBe(4)
  expect(offsetOf('ab\ncd', 1, 99)).toBe(2)
  expect(offsetOf('ab', 7, 1)).toBe(0)
})
