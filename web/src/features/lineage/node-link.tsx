// A part of a lineage under its name, with a way to its page where it has one.
import { Link } from '@tanstack/react-router'
import type { Search } from '../../app/search.ts'
import { ObjectLink } from '../../ui/object-link.tsx'
import type { LineageNode } from './layout.ts'

export function NodeLink({ node }: { node: LineageNode }) {
  if (node.object_id) return <ObjectLink id={node.object_id} name={node.name} />
  if (node.kind !== 'CONSUMER_GROUP' || !node.cluster_id) return node.name
  return <Link to="/clusters/$id/groups/$group" params={{ id: node.cluster_id, group: node.name }} search={(old: Search) => ({ tenant: old.tenant })}>{node.name}</Link>
}
