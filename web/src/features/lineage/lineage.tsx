// Where records come from and where they go: a picture, and the table behind it.
import { Section } from '../../ui/facts.tsx'
import { formatBytes } from '../../ui/format.ts'
import { Empty, Failure, PartMissing, Skeleton } from '../../ui/states.tsx'
import { Age } from '../../ui/status.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import type { EdgeKind, LineageEdge, LineageGraph, LineageNode } from './layout.ts'
import { NodeLink } from './node-link.tsx'
import { LineagePicture } from './picture.tsx'
import { useLineage, type LineageOf } from './queries.ts'

/** A larger one is no picture any more. */
const DRAWN_MAX = 150

export function Lineage({ of }: { of: LineageOf }) {
  const query = useLineage(of)
  if (query.isPending) return <Skeleton label="Reading the lineage" />
  if (!query.data) return <Failure error={query.error} again={() => void query.refetch()} />
  const graph = query.data
  return (
    <Section title="Lineage" note="Who wrote to and who read from what in the last week, from the gateways’ own counts; never from records.">
      {query.error && <PartMissing what="What is new" error={query.error} again={() => void query.refetch()} />}
      {graph.groups === 'UNKNOWN' && <p className="note warn">Consumer groups are not known: the agent could not be asked. What is missing here may exist.</p>}
      {graph.truncated && <p className="note warn">There is more than is shown.</p>}
      {graph.edges.length === 0 ? <Empty title="Nothing flows here yet">Once a client writes or reads through the gateway, it is seen here.</Empty> : <Drawn graph={graph} />}
    </Section>
  )
}

function Drawn({ graph }: { graph: LineageGraph }) {
  const small = graph.nodes.length <= DRAWN_MAX
  return (
    <>
      {small ? <LineagePicture graph={graph} /> : <p className="muted">{graph.nodes.length} parts are too many for a picture.</p>}
      <details className="behind" open={!small || undefined}>
        <summary>The same as a table</summary>
        <Behind graph={graph} />
      </details>
    </>
  )
}

const DOES: Record<EdgeKind, string> = { PRODUCES: 'writes to', CONSUMES: 'is read by', GOVERNS: 'is the contract of', DEAD_LETTERS: 'sends dead letters to' }

function Behind({ graph }: { graph: LineageGraph }) {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]))
  const name = (id: string) => nodes.get(id)?.name ?? id
  // "reads" when it was told from the reader's side.
  const does = (edge: LineageEdge) => (edge.kind === 'CONSUMES' && nodes.get(edge.to)?.kind === 'TOPIC' ? 'reads' : (DOES[edge.kind] ?? edge.kind))
  const columns: Column<LineageEdge>[] = [
    { key: 'from', label: 'From', cell: (e) => <NodeName node={nodes.get(e.from)} id={e.from} />, sort: (e) => name(e.from) },
    { key: 'does', label: 'Does', cell: does, sort: does },
    { key: 'to', label: 'To', cell: (e) => <NodeName node={nodes.get(e.to)} id={e.to} />, sort: (e) => name(e.to) },
    { key: 'bytes', label: 'In a day', align: 'right', cell: (e) => (e.bytes_last_day === undefined || e.bytes_last_day === null ? <span className="muted">not counted</span> : formatBytes(e.bytes_last_day)), sort: (e) => e.bytes_last_day ?? undefined },
    { key: 'last', label: 'Last', cell: (e) => (e.last_seen_at ? <Age at={e.last_seen_at} /> : <span className="muted">not counted</span>), sort: (e) => e.last_seen_at ?? undefined },
  ]
  return <Table caption="Lineage" rows={graph.edges} columns={columns} id={(e) => `${e.from}/${e.kind}/${e.to}`} still />
}

export const KIND_WORDS: Record<string, string> = { SERVICE_ACCOUNT: 'service account', TOPIC: 'topic', CONSUMER_GROUP: 'group', CONTRACT: 'contract', JOB: 'job' }

function NodeName({ node, id }: { node: LineageNode | undefined; id: string }) {
  return <>{node ? <NodeLink node={node} /> : id} <span className="muted">{node && KIND_WORDS[node.kind]}</span></>
}
