// A cluster's consumer groups as rows.
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { ConsumerGroup } from '../../api/types.ts'
import { formatCount, plural, words } from '../../ui/format.ts'
import { Empty, Failure, Skeleton } from '../../ui/states.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { GroupState } from './state.tsx'
import { GROUPS_MAX, useGroups } from './queries.ts'

const FILTER_FROM_ROWS = 5

const columns: readonly Column<ConsumerGroup>[] = [
  { key: 'group', label: 'Group', cell: (g) => <GroupLink group={g} />, sort: (g) => g.group },
  { key: 'state', label: 'State', cell: (g) => <GroupState state={g.state} />, sort: (g) => g.state },
  { key: 'lag', label: 'Lag', align: 'right', cell: (g) => formatCount(g.lag), sort: (g) => g.lag ?? undefined },
  { key: 'members', label: 'Members', align: 'right', cell: (g) => formatCount(g.members), sort: (g) => g.members },
  { key: 'partitions', label: 'Partitions', align: 'right', cell: (g) => formatCount(g.partitions), sort: (g) => g.partitions },
  { key: 'type', label: 'Protocol', cell: (g) => words(g.type), sort: (g) => g.type },
]

function GroupLink({ group }: { group: ConsumerGroup }) {
  return (
    <Link to="/clusters/$id/groups/$group" params={{ id: group.cluster, group: group.group }} search={(old) => ({ tenant: old.tenant })}>
      {group.group}
    </Link>
  )
}

export function GroupTable({ cluster }: { cluster: string }) {
  const groups = useGroups(cluster)
  const [q, setQ] = useState('')
  if (groups.isPending) return <Skeleton label="Asking the agent for groups" />
  if (!groups.data) return <Failure error={groups.error} again={() => void groups.refetch()} />
  const { data, withheld, metadata } = groups.data
  const wanted = q.trim().toLowerCase()
  const found = data.filter((g) => g.group.toLowerCase().includes(wanted))
  return (
    <>
      {groups.error && <Failure error={groups.error} again={() => void groups.refetch()} compact />}
      {data.length >= FILTER_FROM_ROWS && (
        <div className="toolbar">
          <input type="search" className="filter" aria-label="Filter groups" placeholder="Filter groups" value={q} onChange={(event) => setQ(event.target.value)} />
          <span className="count" role="status">{wanted === '' ? plural(data.length, 'group') : `${formatCount(found.length)} of ${plural(data.length, 'group')}`}</span>
        </div>
      )}
      {data.length === 0 && <Empty title="No consumer groups yet">A group appears here with its first member or its first committed offset.</Empty>}
      {data.length > 0 && found.length === 0 && <Empty title="No groups match" />}
      {found.length > 0 && <Table caption="Consumer groups" rows={found} columns={columns} id={(g) => g.group} resetKey={wanted} />}
      {metadata.next_page_token && <p className="note">Only the first {formatCount(GROUPS_MAX)} groups by name are shown; the API reads on with its page token.</p>}
      {withheld > 0 && <p className="note">{plural(withheld, 'group')} of this cluster {withheld === 1 ? 'is' : 'are'} not shown: the policy of the data plane’s owner withholds {withheld === 1 ? 'it' : 'them'}, or the name is no plain text.</p>}
    </>
  )
}
