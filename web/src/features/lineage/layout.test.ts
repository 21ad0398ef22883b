import { expect, test } from 'vitest'
import { layout, type LineageEdge, type LineageGraph, type LineageNode, type NodeKind } from './layout.ts'

const node = (id: string, kind: NodeKind): LineageNode => ({ id, kind, name: id })
const edge = (from: string, to: string, kind: LineageEdge['kind']): LineageEdge => ({ from, to, kind })
const graph = (nodes: LineageNode[], edges: LineageEdge[]): LineageGraph => ({ nodes, edges, groups: 'KNOWN', truncated: false })
const columns = (given: LineageGraph) => Object.fromEntries(layout(given).nodes.map((n) => [n.id, n.column]))

test('who writes stands left of the topic, who reads right of it, whichever way the edge was told', () => {
  const nodes = [node('reader', 'SERVICE_ACCOUNT'), node('payments', 'TOPIC'), node('writer', 'SERVICE_ACCOUNT'), node('group', 'CONSUMER_GROUP'), node('promise', 'CONTRACT')]
  const told = graph(nodes, [edge('writer', 'payments', 'PRODUCES'), edge('payments', 'reader', 'CONSUMES'), edge('group', 'payments', 'CONSUMES'), edge('promise', 'payments', 'GOVERNS')])
  expect(columns(told)).toEqual({ writer: 0, promise: 0, payments: 1, reader: 2, group: 2 })
})

test('one that reads and writes stands between two topics, dead letters behind', () => {
  const nodes = [node('a', 'TOPIC'), node('b', 'TOPIC'), node('scorer', 'SERVICE_ACCOUNT'), node('dead', 'TOPIC')]
  expect(columns(graph(nodes, [edge('a', 'scorer', 'CONSUMES'), edge('scorer', 'b', 'PRODUCES'), edge('a', 'dead', 'DEAD_LETTERS')]))).toEqual({ a: 0, scorer: 1, b: 2, dead: 2 })
})

test('a loop ends, and everything has a place of its own', () => {
  const nodes = [node('a', 'TOPIC'), node('x', 'SERVICE_ACCOUNT'), node('b', 'TOPIC'), node('y', 'SERVICE_ACCOUNT')]
  const drawn = layout(graph(nodes, [edge('x', 'a', 'PRODUCES'), edge('a', 'y', 'CONSUMES'), edge('y', 'b', 'PRODUCES'), edge('b', 'x', 'CONSUMES'), edge('x', 'b', 'PRODUCES'), edge('a', 'x', 'CONSUMES')]))
  expect(drawn.edges).toHaveLength(6)
  expect(new Set(drawn.nodes.map((n) => `${n.x}/${n.y}`)).size).toBe(4)
  for (const n of drawn.nodes) {
    expect(n.x).toBeGreaterThanOrEqual(0)
    expect(n.y).toBeGreaterThanOrEqual(0)
    expect(n.x).toBeLessThan(drawn.width)
    expect(n.y).toBeLessThan(drawn.height)
  }
})

test('an edge to what is not told is left out, and nothing is a picture too', () => {
  expect(layout(graph([node('a', 'TOPIC')], [edge('gone', 'a', 'PRODUCES')])).edges).toEqual([])
  expect(layout(graph([], []))).toEqual({ nodes: [], edges: [], width: 0, height: 0 })
})

test('lines between two columns do not cross without need', () => {
  const nodes = ['p1', 'p2', 'p3'].map((id) => node(id, 'SERVICE_ACCOUNT')).concat(['a', 'b', 'c'].map((id) => node(id, 'TOPIC')))
  const { nodes: placed } = layout(graph(nodes, [edge('p1', 'c', 'PRODUCES'), edge('p2', 'b', 'PRODUCES'), edge('p3', 'a', 'PRODUCES')]))
  const y = (id: string) => placed.find((n) => n.id === id)!.y
  expect([y('p1') - y('c'), y('p2') - y('b'), y('p3') - y('a')]).toEqual([0, 0, 0])
})
