// Clusters as rows; on the list's page and on an environment's.
import type { ReactNode } from 'react'
import type { Cluster } from '../../api/types.ts'
import { Copyable } from '../../ui/copyable.tsx'
import { Collection } from '../../ui/list-page.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { Age, Phase } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { useClusters } from './queries.ts'

export function ClusterTable({ environment, action }: { environment?: string; action?: ReactNode }) {
  const list = useClusters({ environment })
  const environmentName = useNames('/v1/environments')
  const poolName = useNames('/v1/broker-pools')
  const columns: Column<Cluster>[] = [
    { key: 'name', label: 'Name', cell: (c) => <ObjectLink id={c.id} name={c.spec.name} />, sort: (c) => c.spec.name },
    { key: 'phase', label: 'Phase', cell: (c) => <Phase phase={c.status.phase} title={c.status.message ?? undefined} />, sort: (c) => c.status.phase },
    { key: 'bootstrap', label: 'Bootstrap', cell: (c) => c.status.bootstrap_servers ? <Copyable text={c.status.bootstrap_servers} label="Copy bootstrap address" /> : <span className="muted">not known yet</span> },
    { key: 'environment', label: 'Environment', cell: (c) => <ObjectLink id={c.spec.environment} name={environmentName(c.spec.environment)} />, sort: (c) => environmentName(c.spec.environment) },
    { key: 'pool', label: 'Runs on', cell: (c) => poolName(c.spec.broker_pool) ?? <span title={c.spec.broker_pool}>a granted place</span>, sort: (c) => poolName(c.spec.broker_pool) },
    { key: 'created', label: 'Created', cell: (c) => <Age at={c.metadata.created_at} />, sort: (c) => c.metadata.created_at },
  ]
  return (
    <Collection
      list={list} caption="Clusters" noun={['cluster', 'clusters']} narrowed={false}
      columns={environment ? columns.filter((c) => c.key !== 'environment') : columns}
      text={(c) => `${c.spec.name} ${c.status.bootstrap_servers ?? ''} ${c.id}`}
      empty={{ title: 'No clusters yet', text: 'A cluster is your own logical Kafka cluster: its own address, topics, groups and keys. It runs on brokers inside your network.', action }}
    />
  )
}
