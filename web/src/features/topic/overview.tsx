// A topic's wish and truth side by side, and what its log holds right now.
import type { Topic, TopicExtent } from '../../api/types.ts'
import { formatBytes, formatCount, formatDuration, words } from '../../ui/format.ts'
import { Facts, Section } from '../../ui/facts.tsx'
import { Labels } from '../../ui/labels.tsx'
import { PartMissing, Skeleton } from '../../ui/states.tsx'
import { Age, Moment, Phase } from '../../ui/status.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { useDataPlaneOfCluster } from '../data_plane/queries.ts'
import { MirrorFacts } from './mirror.tsx'
import { MountFacts } from './mount.tsx'
import { useExtent } from './queries.ts'

export function TopicOverview({ topic }: { topic: Topic }) {
  return (
    <>
      <div className="wish-and-truth">
        {topic.status.mount ? <MountFacts topic={topic} /> : <Wish topic={topic} />}
        <Truth topic={topic} />
      </div>
      {topic.status.mirror && <MirrorFacts topic={topic} />}
      {/* What lies in the log of another tenant's topic is theirs to know. */}
      {!topic.status.mount && <Extent topic={topic} />}
    </>
  )
}

function Wish({ topic }: { topic: Topic }) {
  const { spec, metadata } = topic
  const configs = Object.entries(spec.configs ?? {})
  return (
    <Section title="Asked for">
      <Facts items={[
        ['Partitions', formatCount(spec.partitions)],
        ['Retention', formatDuration(spec.retention_ms)],
        ['Retention by size', formatBytes(spec.retention_bytes)],
        ['Cleanup', words(spec.cleanup_policy ?? 'DELETE')],
        ['Largest batch', formatBytes(spec.max_message_bytes)],
        configs.length > 0 && ['Further settings', <code key="c" className="lines">{configs.map(([k, v]) => `${k}=${String(v)}`).join('\n')}</code>],
        ['Labels', <Labels key="l" labels={metadata.labels} />],
        ['Version', <span key="v">{metadata.generation}, changed <Age at={metadata.updated_at} /></span>],
      ]} />
    </Section>
  )
}

function Truth({ topic }: { topic: Topic }) {
  const { spec, status } = topic
  const plane = useDataPlaneOfCluster(spec.cluster)
  return (
    <Section title="So far">
      <p className="sentence">{sentence(topic)}</p>
      <Facts items={[
        ['Phase', <Phase key="p" phase={status.phase} />],
        ['Partitions seen', formatCount(status.observed_partitions)],
        ['Agent last seen', plane ? <Age key="a" at={plane.status.last_seen_at} /> : <span key="a" className="muted">not known here</span>],
        ['Created', <Moment key="c" at={topic.metadata.created_at} />],
      ]} />
    </Section>
  )
}

/** Unknown is said as unknown. */
export function sentence(topic: Topic): string {
  const wished = topic.spec.partitions
  const seen = topic.status.observed_partitions
  if (topic.status.phase === 'DELETING') return 'Being deleted: the agent still has to destroy it.'
  if (topic.status.mount) return topic.status.phase === 'READY' ? 'Every live gateway shows it.' : 'Not every live gateway shows it yet.'
  if (seen === undefined || seen === null) return `Asked for ${formatCount(wished)} partitions; the agent has not reported yet.`
  if (seen !== wished) return `Asked for ${formatCount(wished)} partitions, ${formatCount(seen)} so far.`
  if (topic.status.phase === 'READY') return 'Kafka has it as asked for, and every live gateway serves it.'
  return 'Kafka has the partitions asked for; not every gateway serves the newest version yet.'
}

function Extent({ topic }: { topic: Topic }) {
  const exists = (topic.status.observed_partitions ?? 0) > 0 && topic.status.phase !== 'DELETING'
  const extent = useExtent(topic.id, exists)
  return (
    <Section title="Records in the log" note="Asked of the agent when you look; offsets and sizes only, never a record.">
      {!exists && <p className="muted">Known once the topic exists in Kafka.</p>}
      {exists && extent.isPending && <Skeleton lines={3} label="Asking the agent" />}
      {extent.error && <PartMissing what="The log’s extent" error={extent.error} again={() => void extent.refetch()} />}
      {extent.data && <ExtentTable extent={extent.data} />}
    </Section>
  )
}

type PartitionExtent = TopicExtent['partitions'][number]
const columns: readonly Column<PartitionExtent>[] = [
  { key: 'partition', label: 'Partition', cell: (p) => p.partition, sort: (p) => p.partition },
  { key: 'start', label: 'First offset', align: 'right', cell: (p) => formatCount(p.log_start_offset), sort: (p) => p.log_start_offset },
  { key: 'end', label: 'Next offset', align: 'right', cell: (p) => formatCount(p.log_end_offset), sort: (p) => p.log_end_offset },
  { key: 'records', label: 'Offsets in log', align: 'right', cell: (p) => formatCount(p.log_end_offset - p.log_start_offset), sort: (p) => p.log_end_offset - p.log_start_offset },
  { key: 'size', label: 'Size', align: 'right', cell: (p) => formatBytes(p.size_bytes), sort: (p) => p.size_bytes },
]

function ExtentTable({ extent }: { extent: TopicExtent }) {
  const records = extent.partitions.reduce((sum, p) => sum + p.log_end_offset - p.log_start_offset, 0)
  const bytes = extent.partitions.reduce((sum, p) => sum + p.size_bytes, 0)
  return (
    <>
      <div className="figures">
        <div><span className="figure">{formatCount(records)}</span><span className="muted">records in log</span></div>
        <div><span className="figure">{formatBytes(bytes)}</span><span className="muted">in log segments, one copy</span></div>
      </div>
      <details>
        <summary>By partition</summary>
        <Table caption="Extent by partition" rows={extent.partitions} columns={columns} id={(p) => String(p.partition)} still />
      </details>
    </>
  )
}
