// Topics as rows; on the list's page and on a cluster's.
import type { ReactNode } from 'react'
import type { Topic } from '../../api/types.ts'
import { formatDuration, words } from '../../ui/format.ts'
import { Collection } from '../../ui/list-page.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { Age, Phase } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { Copied } from './mirror.tsx'
import { SharedWithYou } from './mount.tsx'
import { Partitions } from './partitions.tsx'
import { useTopics } from './queries.ts'

export function TopicTable({ cluster, action, filters }: { cluster?: string; action?: ReactNode; filters?: ReactNode }) {
  const list = useTopics({ cluster })
  const clusterName = useNames('/v1/clusters')
  const columns: Column<Topic>[] = [
    { key: 'name', label: 'Name', cell: (t) => <><ObjectLink id={t.id} name={t.spec.name} />{t.status.mount && <> <SharedWithYou /></>}{t.status.mirror && <> <Copied /></>}</>, sort: (t) => t.spec.name },
    { key: 'phase', label: 'Phase', cell: (t) => <Phase phase={t.status.phase} title={t.status.message ?? undefined} />, sort: (t) => t.status.phase },
    { key: 'partitions', label: 'Partitions', align: 'right', cell: (t) => <Partitions topic={t} />, sort: (t) => t.spec.partitions },
    { key: 'retention', label: 'Retention', align: 'right', cell: (t) => (t.status.mount ? <span className="muted">the provider’s</span> : formatDuration(t.spec.retention_ms)), sort: (t) => t.spec.retention_ms },
    { key: 'cleanup', label: 'Cleanup', cell: (t) => (t.status.mount ? <span className="muted">the provider’s</span> : words(t.spec.cleanup_policy ?? 'DELETE')), sort: (t) => t.spec.cleanup_policy },
    { key: 'cluster', label: 'Cluster', cell: (t) => <ObjectLink id={t.spec.cluster} name={clusterName(t.spec.cluster)} />, sort: (t) => clusterName(t.spec.cluster) },
    { key: 'created', label: 'Created', cell: (t) => <Age at={t.metadata.created_at} />, sort: (t) => t.metadata.created_at },
  ]
  return (
    <Collection
      list={list} caption="Topics" noun={['topic', 'topics']} filters={filters} narrowed={!!filters && !!cluster}
      columns={cluster && !filters ? columns.filter((c) => c.key !== 'cluster') : columns}
      text={(t) => `${t.spec.name} ${t.id} ${Object.values(t.metadata.labels).join(' ')}`}
      empty={{ title: 'No topics yet', text: 'A topic is a named stream of records. Producers write to it, consumers read from it, with any Kafka client.', action }}
    />
  )
}
