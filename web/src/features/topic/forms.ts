// What a topic is asked for.
import { useAll } from '../../api/hooks.ts'
import { labelsField, type Field } from '../../ui/form/fields.ts'
import { parseTopicName } from '../../ui/form/parse.ts'

const PARTITIONS_MAX = 1000
export const CLEANUP = [
  { value: 'DELETE', label: 'Delete: drop records past the retention' },
  { value: 'COMPACT', label: 'Compact: keep the newest record of each key' },
  { value: 'COMPACT_DELETE', label: 'Compact and delete' },
] as const

export function useTopicFields(): readonly Field[] {
  const clusters = useAll('/v1/clusters').data ?? []
  return topicFields(clusters.map((c) => ({ value: c.id, label: c.spec.name })))
}

export function topicFields(clusters: { value: string; label: string }[]): readonly Field[] {
  return [
    { name: 'name', label: 'Name', kind: 'text', required: true, fixed: true, parse: parseTopicName, hint: 'What clients produce to and consume from. It never changes.' },
    { name: 'cluster', label: 'Cluster', kind: 'select', required: true, fixed: true, options: clusters },
    { name: 'partitions', label: 'Partitions', kind: 'whole', required: true, initial: '6', min: 1, max: PARTITIONS_MAX, hint: 'How many consumers of a group can work side by side. It can grow later, never shrink; keys move when it grows.' },
    { name: 'cleanup_policy', label: 'Cleanup', kind: 'select', required: true, initial: 'DELETE', options: CLEANUP },
    { name: 'retention_ms', label: 'Retention', kind: 'duration', required: true, initial: '7 d', hint: 'How long records are kept: 12 h, 7 d, or unlimited.' },
    { name: 'retention_bytes', label: 'Retention by size', kind: 'bytes', initial: 'unlimited', advanced: true, hint: 'Per partition: 1 GiB, or unlimited.' },
    { name: 'max_message_bytes', label: 'Largest batch', kind: 'bytes', advanced: true, hint: 'Largest batch of records that is taken, such as 1 MiB. Empty: Kafka’s default.' },
    { name: 'configs', label: 'Further Kafka settings', kind: 'pairs', advanced: true, hint: 'One setting a line, such as compression.type=zstd or segment.ms=3600000.' },
    labelsField(),
  ]
}
