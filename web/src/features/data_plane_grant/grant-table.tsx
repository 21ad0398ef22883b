// Grants as rows.
import type { ReactNode } from 'react'
import type { Rows } from '../../api/hooks.ts'
import type { DataPlaneGrant } from '../../api/types.ts'
import { nameOf, shortId } from '../../app/kinds.ts'
import { useTenants } from '../../app/tenant.tsx'
import { formatCount } from '../../ui/format.ts'
import { Collection } from '../../ui/list-page.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { Age, Phase } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'

interface GrantTableProps {
  list: Rows<DataPlaneGrant>
  direction: 'offered' | 'received'
  action?: ReactNode
}

export function GrantTable({ list, direction, action }: GrantTableProps) {
  const poolName = useNames('/v1/broker-pools')
  const { tenants } = useTenants()
  const tenantName = (id: string | undefined) => {
    const found = tenants?.find((t) => t.id === id)
    return found ? nameOf(found) : id ? shortId(id) : ''
  }
  const other = (g: DataPlaneGrant) => (direction === 'offered' ? g.spec.guest_tenant : g.status.owner_tenant)
  const columns: Column<DataPlaneGrant>[] = [
    { key: 'id', label: 'Grant', cell: (g) => <ObjectLink id={g.id} name={shortId(g.id)} /> },
    { key: 'phase', label: 'Phase', cell: (g) => <Phase phase={g.status.phase} />, sort: (g) => g.status.phase },
    { key: 'other', label: direction === 'offered' ? 'Guest' : 'From', cell: (g) => <span title={other(g)}>{tenantName(other(g))}</span>, sort: (g) => tenantName(other(g)) },
    { key: 'pool', label: 'Broker pool', cell: (g) => <span title={g.spec.broker_pool}>{poolName(g.spec.broker_pool) ?? shortId(g.spec.broker_pool)}</span> },
    { key: 'clusters', label: 'Clusters', align: 'right', cell: (g) => formatCount(g.spec.clusters_max) },
    { key: 'topics', label: 'Topics', align: 'right', cell: (g) => formatCount(g.spec.topics_max) },
    { key: 'partitions', label: 'Partitions', align: 'right', cell: (g) => formatCount(g.spec.partitions_max) },
    { key: 'created', label: 'Offered', cell: (g) => <Age at={g.metadata.created_at} />, sort: (g) => g.metadata.created_at },
  ]
  return (
    <Collection
      list={list} caption={direction === 'offered' ? 'Grants offered' : 'Grants received'} columns={columns} noun={['grant', 'grants']}
      text={(g) => `${g.id} ${tenantName(other(g))} ${poolName(g.spec.broker_pool) ?? ''}`}
      empty={direction === 'offered'
        ? { title: 'No grants offered', text: 'Lend another tenant a place on your brokers, within limits. You see their ids, counts and cost, nothing else.', action }
        : { title: 'No grants received', text: 'When another tenant offers you a place on their brokers, it appears here to be accepted.' }}
    />
  )
}
