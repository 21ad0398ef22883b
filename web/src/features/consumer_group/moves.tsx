// What a reset or a deletion would move: every partition before and after.
import type { Plan } from '../../api/types.ts'
import { formatCount, plural } from '../../ui/format.ts'
import { Table, type Column } from '../../ui/table.tsx'
import { movesOf, type Move } from './reset.ts'

const offset = (value: number | null | undefined) => (value === null || value === undefined ? <span className="muted">none</span> : formatCount(value))

const columns: readonly Column<Move>[] = [
  { key: 'topic', label: 'Topic', cell: (m) => m.topic_name, sort: (m) => m.topic_name },
  { key: 'partition', label: 'Partition', align: 'right', cell: (m) => m.partition, sort: (m) => m.partition },
  { key: 'from', label: 'Now', align: 'right', cell: (m) => offset(m.from), sort: (m) => m.from ?? undefined },
  { key: 'to', label: 'Then', align: 'right', cell: (m) => offset(m.to), sort: (m) => m.to ?? undefined },
  { key: 'by', label: 'Moves by', align: 'right', cell: (m) => moved(m), sort: (m) => (m.to ?? 0) - (m.from ?? 0) },
]

function moved({ from, to }: Move): string {
  if (from === null || from === undefined || to === null || to === undefined) return ''
  const by = to - from
  return by > 0 ? `+${formatCount(by)}` : formatCount(by)
}

export function MovesOf({ plan }: { plan: Plan }) {
  const moves = plan.changes.flatMap((c) => movesOf(c.before, c.after))
  const still = moves.filter((m) => m.from === m.to).length
  if (moves.length === 0) return <p className="note">The group has committed no offsets.</p>
  return (
    <div className="plan">
      <p className="note">
        {plural(moves.length - still, 'partition')} would move{still > 0 ? `, ${plural(still, 'is', 'are')} there already` : ''}. Nothing is done yet.
      </p>
      <Table caption="Offsets now and then" rows={moves} columns={columns} id={(m) => `${m.topic}/${m.partition}`} still />
    </div>
  )
}
