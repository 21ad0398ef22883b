// Who is connected to a cluster now; and, of one connection, what it may do and which quotas apply.
import { useState } from 'react'
import type { Connection } from '../../api/types.ts'
import { shortId } from '../../app/kinds.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Facts, Section } from '../../ui/facts.tsx'
import { formatBytes, formatCount, formatDuration, words } from '../../ui/format.ts'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { Empty, Failure, Skeleton } from '../../ui/states.tsx'
import { Age, Moment } from '../../ui/status.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { useConnection, useConnections } from './queries.ts'

export const softwareText = (c: Pick<Connection, 'software' | 'software_version'>): string =>
  c.software === 'UNKNOWN' ? 'unknown' : `${words(c.software)}${c.software_version ? ` ${c.software_version}` : ''}`

export function Connections({ cluster }: { cluster: string }) {
  const list = useConnections(cluster)
  const accountName = useNames('/v1/service-accounts')
  const [open, setOpen] = useState<string>()
  if (list.isPending) return <Skeleton label="Asking the gateways" />
  if (!list.data) return <Failure error={list.error} again={() => void list.refetch()} />
  const rows = list.data.data
  const columns: Column<Connection>[] = [
    { key: 'who', label: 'Service account', cell: (c) => <ObjectLink id={c.principal} name={accountName(c.principal)} />, sort: (c) => accountName(c.principal) },
    { key: 'software', label: 'Client', cell: softwareText, sort: softwareText },
    { key: 'since', label: 'Since', cell: (c) => <Age at={c.connected_at} />, sort: (c) => c.connected_at },
    { key: 'in', label: 'Produced', align: 'right', cell: (c) => formatBytes(c.ingress_bytes), sort: (c) => c.ingress_bytes },
    { key: 'out', label: 'Fetched', align: 'right', cell: (c) => formatBytes(c.egress_bytes), sort: (c) => c.egress_bytes },
    { key: 'waited', label: 'Throttled for', align: 'right', cell: (c) => formatDuration(c.throttled_ms), sort: (c) => c.throttled_ms },
    { key: 'more', label: 'Details', cell: (c) => <Button onClick={() => setOpen(c.id)}>Details</Button> },
  ]
  return (
    <Section title="Connections" note="Asked of the gateways now. Addresses and what clients call themselves stay in the data plane.">
      {rows.length === 0
        ? <Empty title="Nobody is connected">Clients show here while they are connected.</Empty>
        : <Table caption="Connections" rows={rows} columns={columns} id={(c) => c.id} still />}
      {list.data.metadata.next_page_token && <p className="muted">The first {formatCount(rows.length)} are shown; the API lists all.</p>}
      {open && <Detail cluster={cluster} connection={open} onClose={() => setOpen(undefined)} />}
    </Section>
  )
}

function Detail({ cluster, connection, onClose }: { cluster: string; connection: string; onClose: () => void }) {
  const query = useConnection(cluster, connection)
  const accountName = useNames('/v1/service-accounts')
  const { data } = query
  return (
    <Dialog open title="Connection" onClose={onClose}>
      {query.isPending && <Skeleton label="Asking the gateways" />}
      {query.error && <Failure error={query.error} again={() => void query.refetch()} />}
      {data && (
        <Facts items={[
          ['Service account', <ObjectLink key="a" id={data.principal} name={accountName(data.principal)} />],
          ['Key', <ObjectLink key="k" id={data.api_key} name={shortId(data.api_key)} />],
          ['Signed in by', words(data.mechanism)],
          ['Client', softwareText(data)],
          ['Comes from', words(data.address)],
          ['Since', <Moment key="s" at={data.connected_at} />],
          ['Requests', formatCount(data.requests)],
          ['May', <span key="m">{(data.access ?? []).map((a) => <span key={`${a.role} ${a.pattern}`}><code>{a.pattern}</code> {words(a.role)} </span>)}</span>],
          ['Quotas', (data.quotas ?? []).length === 0 ? 'none' : <span key="q">{(data.quotas ?? []).map((q) => <span key={q}><ObjectLink id={q} name={shortId(q)} /> </span>)}</span>],
        ]} />
      )}
    </Dialog>
  )
}
