// What a topic is asked for.
import { useAll } from '../../api/hooks.ts'
import type { Topic } from '../../api/types.ts'
import { labelsField, type Field } from '../../ui/form/fields.ts'
import { parseTopicName } from '../../ui/form/parse.ts'
import { parseContract, printContract } from './contract.ts'
import { ContractEditor } from './contract-editor.tsx'

const PARTITIONS_MAX = 1000
export const CLEANUP = [
  { value: 'DELETE', label: 'Delete: drop records past the retention' },
  { value: 'COMPACT', label: 'Compact: keep the newest record of each key' },
  { value: 'COMPACT_DELETE', label: 'Compact and delete' },
] as const

/** `topic`: the one that is changed. */
export function useTopicFields(topic?: Topic): readonly Field[] {
  const clusters = useAll('/v1/clusters').data ?? []
  const topics = useAll('/v1/topics', topic && { cluster: topic.spec.cluster }).data ?? []
  const others = topics.filter((t) => t.id !== topic?.id).map((t) => ({ id: t.id, name: t.spec.name }))
  return topicFields(clusters.map((c) => ({ value: c.id, label: c.spec.name })), others)
}

export function topicFields(clusters: { value: string; label: string }[], others: { id: string; name: string }[]): readonly Field[] {
  return [
    { name: 'name', label: 'Name', kind: 'text', required: true, fixed: true, parse: parseTopicName, hint: 'What clients produce to and consume from. It never changes.' },
    { name: 'cluster', label: 'Cluster', kind: 'select', required: true, fixed: true, options: clusters },
    { name: 'partitions', label: 'Partitions', kind: 'whole', required: true, initial: '6', min: 1, max: PARTITIONS_MAX, hint: 'How many consumers of a group can work side by side. It can grow later, never shrink; keys move when it grows.' },
    { name: 'cleanup_policy', label: 'Cleanup', kind: 'select', required: true, initial: 'DELETE', options: CLEANUP },
    { name: 'retention_ms', label: 'Retention', kind: 'duration', required: true, initial: '7 d', hint: 'How long records are kept: 12 h, 7 d, or unlimited.' },
    { name: 'retention_bytes', label: 'Retention by size', kind: 'bytes', initial: 'unlimited', advanced: true, hint: 'Per partition: 1 GiB, or unlimited.' },
    { name: 'max_message_bytes', label: 'Largest batch', kind: 'bytes', advanced: true, hint: 'Largest batch of records that is taken, such as 1 MiB. Empty: Kafka’s default.' },
    { name: 'configs', label: 'Further Kafka settings', kind: 'pairs', advanced: true, hint: 'One setting a line, such as compression.type=zstd or segment.ms=3600000.' },
    {
      name: 'contract', label: 'Contract', kind: 'custom', advanced: true, parse: parseContract, print: printContract,
      render: ({ id, text, onChange }) => <ContractEditor id={id} text={text} onChange={onChange} topics={others} />,
      hint: 'Begin with counting: you see what would be refused before it is.',
    },
    labelsField(),
  ]
}
