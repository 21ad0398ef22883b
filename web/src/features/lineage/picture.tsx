// The picture of a lineage: links that the keyboard reaches in the order of the data, and lines between them.
import { useMemo, useState } from 'react'
import { Icon, type IconName } from '../../ui/icons.tsx'
import { layout, NODE, type LineageGraph, type NodeKind, type Placed } from './layout.ts'
import { NodeLink } from './node-link.tsx'

const ICONS: Record<NodeKind, IconName> = { SERVICE_ACCOUNT: 'account', TOPIC: 'topic', CONSUMER_GROUP: 'members', CONTRACT: 'contract', JOB: 'job' }
const WORDS: Record<NodeKind, string> = { SERVICE_ACCOUNT: 'service account', TOPIC: 'topic', CONSUMER_GROUP: 'consumer group', CONTRACT: 'contract', JOB: 'job' }
const ARROW = 'M0 0 8 4 0 8z'

export function LineagePicture({ graph }: { graph: LineageGraph }) {
  const picture = useMemo(() => layout(graph), [graph])
  const [at, setAt] = useState<string | undefined>(undefined)
  const near = at === undefined ? undefined : new Set(picture.edges.filter((edge) => edge.from === at || edge.to === at).flatMap((edge) => [edge.from, edge.to]))
  return (
    // Scrollable, so the keyboard must be able to reach it.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="lineage" tabIndex={0} role="group" aria-label="Picture of the lineage; the table below says the same">
      <div className="lineage-ground" style={{ width: picture.width, height: picture.height }}>
        <svg width={picture.width} height={picture.height} aria-hidden="true" focusable="false">
          <defs><marker id="lineage-arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d={ARROW} /></marker></defs>
          {picture.edges.map((edge) => (
            <path key={`${edge.from}/${edge.kind}/${edge.to}`} d={edge.path} className={`edge ${edge.kind.toLowerCase()} ${at === undefined ? '' : edge.from === at || edge.to === at ? 'near' : 'far'}`} markerEnd="url(#lineage-arrow)" />
          ))}
        </svg>
        <ul>
          {picture.nodes.map((node) => (
            <Part key={node.id} node={node} far={near !== undefined && node.id !== at && !near.has(node.id)} onAt={setAt} />
          ))}
        </ul>
      </div>
    </div>
  )
}

function Part({ node, far, onAt }: { node: Placed; far: boolean; onAt: (id: string | undefined) => void }) {
  return (
    // The pointer and the focus only bring out the lines of it; what can be done is the link inside.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <li
      className={`lineage-node ${node.kind.toLowerCase()} ${far ? 'far' : ''}`} style={{ left: node.x, top: node.y, width: NODE.width, height: NODE.height }}
      onMouseEnter={() => onAt(node.id)} onMouseLeave={() => onAt(undefined)} onFocus={() => onAt(node.id)} onBlur={() => onAt(undefined)}
    >
      <Icon name={ICONS[node.kind] ?? 'topic'} />
      <span className="lineage-text">
        <span className="lineage-name" title={node.name}><NodeLink node={node} /></span>
        <span className="muted lineage-kind">{WORDS[node.kind] ?? node.kind}{node.detail ? `, ${node.detail}` : ''}</span>
      </span>
    </li>
  )
}
