// What was decided of a job's workers, drawn over time and listed with the newest first, and why.
import { useMemo } from 'react'
import type { Job, JobScalingDecision } from '../../api/types.ts'
import { Button } from '../../ui/button.tsx'
import { formatCount, words } from '../../ui/format.ts'
import { Lines } from '../../ui/lines.tsx'
import { Failure, Skeleton } from '../../ui/states.tsx'
import { Age } from '../../ui/status.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { historyOf } from './history.ts'
import { changeText, rateText } from './job.ts'
import { useJobDecisions } from './queries.ts'
import { parallelismText } from './scaling.ts'
import { SUBTASKS } from './sql.ts'

const columns: readonly Column<JobScalingDecision>[] = [
  { key: 'at', label: 'When', cell: (d) => <Age at={d.at} /> },
  { key: 'change', label: 'Workers', cell: changeText },
  { key: 'why', label: 'Why', cell: (d) => [d.reason, ...d.also].map(words).join(', ') },
  { key: 'lag', label: 'Waiting', align: 'right', cell: (d) => formatCount(d.lag) },
  { key: 'rate', label: 'Arriving', align: 'right', cell: (d) => rateText(d.terms?.arrival_rate) },
  { key: 'able', label: 'Could do', align: 'right', cell: (d) => rateText(d.terms?.true_rate) },
]

export function WorkersTab({ job }: { job: Job }) {
  const sql = job.spec.program.kind === 'SQL'
  return (
    <>
      <p className="note">Who decides how many workers there are: {parallelismText(job)}.{sql && ` ${SUBTASKS}`}</p>
      <Decisions id={job.id} />
    </>
  )
}

function Decisions({ id }: { id: string }) {
  const decisions = useJobDecisions(id)
  const rows = useMemo(() => decisions.data?.pages.flatMap((page) => page.data) ?? [], [decisions.data])
  const history = useMemo(() => historyOf(rows), [rows])
  if (decisions.isPending) return <Skeleton label="Reading the decisions" />
  if (!decisions.data) return <Failure error={decisions.error} again={() => void decisions.refetch()} />
  return (
    <>
      {rows.length > 1 && <Lines label="Workers, rates and waiting records at each decision" {...history} />}
      <Table caption="Decisions about its workers" rows={rows} columns={columns} id={(d) => d.at} still />
      {decisions.hasNextPage && <Button busy={decisions.isFetchingNextPage} onClick={() => void decisions.fetchNextPage()}>Older decisions</Button>}
    </>
  )
}
