// Where the parts of a lineage stand in its picture. Pure: the same graph is always drawn the same way.

export type NodeKind = 'SERVICE_ACCOUNT' | 'TOPIC' | 'CONSUMER_GROUP' | 'CONTRACT' | 'JOB'
export type EdgeKind = 'PRODUCES' | 'CONSUMES' | 'GOVERNS' | 'DEAD_LETTERS'

export interface LineageNode {
  id: string
  kind: NodeKind
  object_id?: string | null
  name: string
  detail?: string | null
  /** Where it is; of topics and groups. */
  cluster_id?: string | null
}
export interface LineageEdge {
  from: string
  to: string
  kind: EdgeKind
  last_seen_at?: string | null
  bytes_last_day?: number | null
}
export interface LineageGraph {
  nodes: LineageNode[]
  edges: LineageEdge[]
  groups: 'KNOWN' | 'UNKNOWN'
  truncated: boolean
}

export interface Placed extends LineageNode {
  column: number
  x: number
  y: number
}
export interface Drawn extends LineageEdge {
  path: string
}
export interface Picture {
  nodes: Placed[]
  edges: Drawn[]
  width: number
  height: number
}

export const NODE = { width: 192, height: 46 }
const GAP = { x: 68, y: 14 }
const SWEEPS = 4

/** Edges run with the data, whichever way they were told: a reader stands right of what it reads. */
export function withTheData(edge: LineageEdge, kindOf: Map<string, NodeKind>): LineageEdge {
  const backwards = edge.kind === 'CONSUMES' && kindOf.get(edge.to) === 'TOPIC'
  return backwards ? { ...edge, from: edge.to, to: edge.from } : edge
}

/** Topics stand in odd columns, who writes and who reads in even ones; one that does both stands between two topics. */
export function layout(graph: LineageGraph): Picture {
  const kindOf = new Map(graph.nodes.map((node) => [node.id, node.kind]))
  const edges = graph.edges.filter((edge) => kindOf.has(edge.from) && kindOf.has(edge.to)).map((edge) => withTheData(edge, kindOf))
  const column = columnsOf(graph.nodes, edges)
  const columns: LineageNode[][] = []
  for (const node of graph.nodes) (columns[column.get(node.id) ?? 0] ??= []).push(node)
  // A column that nobody stands in takes no room.
  const used = [...columns].filter((each): each is LineageNode[] => each !== undefined && each.length > 0)
  const ordered = untangled(used, edges)
  const tallest = Math.max(0, ...ordered.map((each) => each.length))
  const height = Math.max(0, tallest * (NODE.height + GAP.y) - GAP.y)
  const nodes = ordered.flatMap((each, at) => {
    const top = (height - (each.length * (NODE.height + GAP.y) - GAP.y)) / 2
    return each.map((node, row) => ({ ...node, column: at, x: at * (NODE.width + GAP.x), y: top + row * (NODE.height + GAP.y) }))
  })
  const placed = new Map(nodes.map((node) => [node.id, node]))
  return {
    nodes, height,
    width: Math.max(0, ordered.length * (NODE.width + GAP.x) - GAP.x),
    edges: edges.map((edge) => ({ ...edge, path: pathOf(placed.get(edge.from)!, placed.get(edge.to)!) })),
  }
}

function columnsOf(nodes: readonly LineageNode[], edges: readonly LineageEdge[]): Map<string, number> {
  const isTopic = new Set(nodes.filter((node) => node.kind === 'TOPIC').map((node) => node.id))
  const flow = forwards(nodes, edges.filter((edge) => edge.kind !== 'GOVERNS'))
  const column = new Map(nodes.map((node) => [node.id, isTopic.has(node.id) ? 1 : 0]))
  // Without cycles nothing moves any more after as many rounds as there are nodes.
  for (let round = 0, moved = true; moved && round < nodes.length; round += 1) {
    moved = false
    for (const { from, to } of flow) {
      const least = column.get(from)! + (isTopic.has(from) && isTopic.has(to) ? 2 : 1)
      if (column.get(to)! >= least) continue
      column.set(to, least)
      moved = true
    }
  }
  for (const node of nodes.filter((each) => each.kind === 'CONTRACT')) {
    const governed = edges.filter((edge) => edge.kind === 'GOVERNS' && edge.from === node.id).map((edge) => column.get(edge.to)!)
    column.set(node.id, Math.max(0, Math.min(...governed, 1) - 1))
  }
  return column
}

/** The edges without those that lead back: a loop of applications has to be cut somewhere. */
function forwards(nodes: readonly LineageNode[], edges: readonly LineageEdge[]): LineageEdge[] {
  const next = new Map<string, LineageEdge[]>()
  for (const edge of edges) next.set(edge.from, [...(next.get(edge.from) ?? []), edge])
  const stage = new Map<string, 'open' | 'done'>()
  const kept: LineageEdge[] = []
  for (const { id: root } of nodes) {
    const stack = stage.has(root) ? [] : [{ id: root, at: 0 }]
    if (stack.length > 0) stage.set(root, 'open')
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!
      const edge = next.get(top.id)?.[top.at]
      top.at += 1
      if (!edge) {
        stage.set(top.id, 'done')
        stack.pop()
      } else if (stage.get(edge.to) !== 'open') {
        kept.push(edge)
        if (!stage.has(edge.to)) {
          stage.set(edge.to, 'open')
          stack.push({ id: edge.to, at: 0 })
        }
      }
    }
  }
  return kept
}

/** Each column in the order of its neighbours' middles, back and forth a few times. */
function untangled(columns: readonly LineageNode[][], edges: readonly LineageEdge[]): LineageNode[][] {
  const near = new Map<string, string[]>()
  for (const { from, to } of edges) {
    near.set(from, [...(near.get(from) ?? []), to])
    near.set(to, [...(near.get(to) ?? []), from])
  }
  const ordered = columns.map((column) => [...column].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)))
  const rank = new Map<string, number>()
  const count = (column: readonly LineageNode[]) => column.forEach((node, at) => rank.set(node.id, (at + 0.5) / column.length))
  ordered.forEach(count)
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    for (const column of sweep % 2 === 0 ? ordered : [...ordered].reverse()) {
      const middle = new Map(column.map((node) => [node.id, middleOf(near.get(node.id) ?? [], rank, rank.get(node.id)!)]))
      column.sort((a, b) => middle.get(a.id)! - middle.get(b.id)!)
      count(column)
    }
  }
  return ordered
}

function middleOf(ids: readonly string[], rank: ReadonlyMap<string, number>, own: number): number {
  return ids.length === 0 ? own : ids.reduce((sum, id) => sum + (rank.get(id) ?? 0), 0) / ids.length
}

/** From the right side of one to the left side of the other; what leads back bends around. */
function pathOf(from: Placed, to: Placed): string {
  const [x1, y1] = [from.x + NODE.width, from.y + NODE.height / 2]
  const [x2, y2] = [to.x, to.y + NODE.height / 2]
  const bend = Math.max(GAP.x / 2, Math.abs(x2 - x1) / 2)
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`
}
