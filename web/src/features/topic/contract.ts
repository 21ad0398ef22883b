// A topic's contract in words, and between the form's text and the spec.
import type { Parsed } from '../../ui/form/parse.ts'

export const ENFORCEMENTS = [
  { value: 'OFF', label: 'Off: records are not looked at', does: 'Nothing is judged.' },
  { value: 'SHADOW', label: 'Shadow: count records that break it', does: 'Records that break it are counted, and pass.' },
  { value: 'MARK', label: 'Mark: say so in a header', does: 'Records that break it get a header that says so, and pass.' },
  { value: 'DLQ', label: 'Dead letters: keep them from consumers', does: 'Records that break it are withheld from consumers, and copied into the dead-letter topic as they were sent.' },
  { value: 'REJECT', label: 'Reject: refuse the batch', does: 'A batch with a record that breaks it is refused, and its producer told why.' },
] as const
export const STRATEGIES = [
  { value: 'TOPIC_NAME', label: 'Subject of the topic' },
  { value: 'RECORD_NAME', label: 'Subject of the record’s name' },
  { value: 'TOPIC_RECORD_NAME', label: 'Subject of topic and record' },
] as const

export type Enforcement = (typeof ENFORCEMENTS)[number]['value']
export type Strategy = (typeof STRATEGIES)[number]['value']

/** What is promised of keys or of values. */
export interface Part {
  strategy: Strategy
  unframed: 'REFUSED' | 'JSON'
}

/** As the form holds it; the field's text is this as JSON, and empty for a topic without a contract. */
export interface Inputs {
  enforcement: Enforcement
  key: Part | null
  value: Part | null
  dead_letter_topic: string | null
}

export const PART: Part = { strategy: 'TOPIC_NAME', unframed: 'REFUSED' }
/** Counting comes first: nobody is surprised by it. */
export const BEGINNING: Inputs = { enforcement: 'SHADOW', key: null, value: PART, dead_letter_topic: null }

export function readContract(text: string): Inputs | undefined {
  if (text === '') return undefined
  const given = JSON.parse(text) as Partial<Inputs>
  const part = (it: Partial<Part> | null | undefined) => (it ? { ...PART, ...it } : null)
  return {
    enforcement: given.enforcement ?? 'OFF',
    key: part(given.key),
    value: part(given.value),
    dead_letter_topic: given.dead_letter_topic ?? null,
  }
}

/** Everything is named: a change is merged into what is there, and `null` takes away. */
export function parseContract(text: string): Parsed {
  const inputs = readContract(text)
  if (!inputs) return { ok: true, value: null }
  if (!inputs.key && !inputs.value) return { ok: false, error: 'Say whether keys, values or both are promised' }
  if (inputs.enforcement === 'DLQ' && !inputs.dead_letter_topic) return { ok: false, error: 'Choose the topic that takes the dead letters' }
  return { ok: true, value: inputs.enforcement === 'DLQ' ? inputs : { ...inputs, dead_letter_topic: null } }
}

export function printContract(value: unknown): string {
  return JSON.stringify(readContract(JSON.stringify(value)))
}

export function doesText(enforcement: string): string {
  return ENFORCEMENTS.find((e) => e.value === enforcement)?.does ?? enforcement
}

/** `TopicName` for values of `payments` is the subject `payments-value`. */
export function subjectText(topic: string, part: 'key' | 'value', strategy: string): string {
  switch (strategy) {
    case 'TOPIC_NAME': return `${topic}-${part}`
    case 'RECORD_NAME': return 'the name of each record'
    case 'TOPIC_RECORD_NAME': return `${topic}-, then the name of each record`
    default: return strategy
  }
}
