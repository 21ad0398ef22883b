// Wish and truth of a topic's partitions in a few words.
import type { Topic } from '../../api/types.ts'
import { formatCount } from '../../ui/format.ts'

export function Partitions({ topic }: { topic: Topic }) {
  const wished = topic.spec.partitions
  const seen = topic.status.observed_partitions
  // A mount asks for none: it has as many as what it shows.
  if (topic.status.mount) return <>{formatCount(seen)}</>
  if (seen === undefined || seen === null || seen === wished) return <>{formatCount(wished)}</>
  return <span title="seen by the agent of what was asked for">{formatCount(seen)} of {formatCount(wished)}</span>
}
