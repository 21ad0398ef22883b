// A reset of offsets: the form's fields, and what they come to in the API.
import type { ConsumerGroupDetail, OffsetReset } from '../../api/types.ts'
import type { Field, Texts } from '../../ui/form/fields.ts'
import { parseWhole, type Parsed } from '../../ui/form/parse.ts'

const TARGETS = [
  { value: 'EARLIEST', label: 'Earliest: read everything again' },
  { value: 'LATEST', label: 'Latest: skip what is there' },
  { value: 'TIME', label: 'Time: the first record from a moment on' },
  { value: 'SHIFT', label: 'Shift: so many records back or forward' },
  { value: 'OFFSET', label: 'Offset: the same in each partition' },
] as const

const PARTITIONS_MAX = 10_000

/** `0, 2-4` to [0, 2, 3, 4]. */
export function parsePartitions(text: string): Parsed<number[]> {
  const found = new Set<number>()
  for (const part of text.split(',').map((it) => it.trim()).filter(Boolean)) {
    const range = /^(\d{1,6})(?:\s*-\s*(\d{1,6}))?$/.exec(part)
    if (!range) return { ok: false, error: 'Write numbers and ranges, such as 0, 2-4' }
    const from = Number(range[1])
    const to = range[2] === undefined ? from : Number(range[2])
    if (to < from) return { ok: false, error: `${part} runs backwards` }
    if (to - from >= PARTITIONS_MAX) return { ok: false, error: `At most ${PARTITIONS_MAX} partitions` }
    for (let at = from; at <= to; at++) found.add(at)
  }
  return { ok: true, value: [...found].sort((a, b) => a - b) }
}

function parseShift(text: string): Parsed<number> {
  const parsed = parseWhole(text)
  if (parsed.ok && parsed.value === 0) return { ok: false, error: 'A shift by 0 moves nothing' }
  return parsed
}

/** The topics that the group has committed, each once. */
export function topicsOf(group: ConsumerGroupDetail): { value: string; label: string }[] {
  const names = new Map(group.positions.map((p) => [p.topic, p.topic_name]))
  return [...names].map(([value, label]) => ({ value, label }))
}

export function resetFields(group: ConsumerGroupDetail): readonly Field[] {
  const to = (kind: string) => (texts: Texts) => texts.to === kind
  return [
    { name: 'to', label: 'Move to', kind: 'select', required: true, initial: 'EARLIEST', options: TARGETS },
    { name: 'time', label: 'From', kind: 'moment', required: true, when: to('TIME'), hint: 'Records that are older are not read again.' },
    { name: 'by', label: 'By', kind: 'text', required: true, when: to('SHIFT'), parse: parseShift, hint: '-100 reads the last hundred of each partition again.' },
    { name: 'offset', label: 'Offset', kind: 'whole', required: true, min: 0, when: to('OFFSET'), hint: 'Beyond the log it becomes the log’s nearest end.' },
    { name: 'topic', label: 'Topic', kind: 'select', options: topicsOf(group), hint: 'None: every topic that the group has committed.' },
    { name: 'partitions', label: 'Partitions', kind: 'text', when: (texts) => !!texts.topic, parse: parsePartitions, hint: 'Such as 0, 2-4. Empty: all.' },
  ]
}

/** What the form says, as the API reads it. */
export function resetOf(spec: Record<string, unknown>): OffsetReset {
  const { to: kind, topic, partitions, ...values } = spec
  const reset = { to: { kind, ...values } } as OffsetReset
  if (typeof topic !== 'string') return reset
  return { ...reset, topics: [{ topic, ...(partitions ? { partitions: partitions as number[] } : {}) }] }
}

export interface Move {
  topic: string
  topic_name: string
  partition: number
  from?: number | null
  to?: number | null
}

interface Offsets {
  offsets: { topic: string; topic_name: string; partition: number; offset: number | null }[]
}

/** A plan's two sides, partition by partition. */
export function movesOf(before: unknown, after: unknown): Move[] {
  const next = new Map(((after as Offsets | null)?.offsets ?? []).map((o) => [`${o.topic}/${o.partition}`, o.offset]))
  return ((before as Offsets | null)?.offsets ?? []).map((o) => ({
    topic: o.topic, topic_name: o.topic_name, partition: o.partition, from: o.offset, to: next.get(`${o.topic}/${o.partition}`) ?? null,
  }))
}
