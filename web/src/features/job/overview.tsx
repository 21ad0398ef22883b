// How a job goes, as its agent said last.
import type { Job } from '../../api/types.ts'
import { CodeBlock } from '../../ui/copyable.tsx'
import { Facts, Section } from '../../ui/facts.tsx'
import { formatCount, words } from '../../ui/format.ts'
import { Labels } from '../../ui/labels.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { Age, Moment } from '../../ui/status.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { lagText, wishText, workersText } from './job.ts'
import { parallelismText, policyText } from './scaling.ts'
import type { Program } from './program.ts'
import { SqlView } from './sql-view.tsx'
import { selectCommand, selectPath, type SqlProgram } from './sql.ts'

type Progress = NonNullable<Job['status']['progress']>
type Failure = Progress['failures'][number]

const failureColumns: readonly Column<Failure>[] = [
  { key: 'code', label: 'What', cell: (f) => words(f.code) },
  { key: 'step', label: 'Step', cell: (f) => f.step ?? 'none of them' },
  { key: 'count', label: 'How often', align: 'right', cell: (f) => formatCount(f.count), sort: (f) => f.count },
]

export function JobOverview({ job }: { job: Job }) {
  const { spec, status, metadata } = job
  const poolName = useNames('/v1/compute-pools')
  const accountName = useNames('/v1/service-accounts')
  return (
    <>
      {status.progress ? <HowItGoes progress={status.progress} program={spec.program} /> : <p className="muted">The agent has told nothing of it yet.</p>}
      {spec.program.kind === 'SQL' && <Section title="What it does"><SqlView program={spec.program} /></Section>}
      {spec.program.kind === 'SQL' && <TrySelect job={job.id} program={spec.program} />}
      <Section title="What is wished">
        <Facts items={[
          ['Wish', wishText(spec)],
          ['Workers', workersText(job)],
          ['Who decides how many', parallelismText(job)],
          policyText(spec.scaling?.policy) !== '' && ['Scaling policy of its own', policyText(spec.scaling?.policy)],
          ['Priority', formatCount(spec.priority ?? 5)],
          ['Compute pool', <ObjectLink key="p" id={spec.compute_pool} name={poolName(spec.compute_pool)} />],
          ['Service account', <ObjectLink key="a" id={spec.service_account} name={accountName(spec.service_account)} />],
          ['Newest version', formatCount(status.latest_version)],
          spec.deletion_protection === true && ['Protected', 'from deletion'],
          !!spec.description && ['Description', spec.description],
          ['Labels', <Labels key="l" labels={metadata.labels} />],
          ['Created', <Moment key="m" at={metadata.created_at} />],
        ]} />
      </Section>
    </>
  )
}

/** Records never come here: the question is asked where they are. */
function TrySelect({ job, program }: { job: string; program: SqlProgram }) {
  return (
    <Section title="Try a SELECT" note="What its tables hold never leaves your network, so the question is asked there: at the agent’s endpoint inside, with the rights of the job’s service account, while the job runs.">
      <div className="stack">
        <p>In a browser that reaches the agent, open <code>{selectPath(job)}</code> on the endpoint inside. On the agent’s machine:</p>
        <CodeBlock text={selectCommand(job, program)} label="command" wrap />
      </div>
    </Section>
  )
}

/** Of a job in SQL fewer things are counted: Flink tells no lag, and there are no dead letters. */
function HowItGoes({ progress, program }: { progress: Progress; program: Program }) {
  const sql = program.kind === 'SQL'
  const timed = sql && program.sources.some((source) => source.event_time)
  const columns = sql ? failureColumns.filter((it) => it.key !== 'step') : failureColumns
  return (
    <Section title="How it goes" note="As the agent said last; counts begin with the job.">
      <div className="stack">
        <Facts items={[
          !sql && ['Behind', lagText(progress)],
          ['Read', formatCount(progress.records_in)],
          ['Written', formatCount(progress.records_out)],
          !sql && ['Left out', formatCount(progress.records_dropped)],
          !sql && ['Dead letters', formatCount(progress.records_dead)],
          ['Version that runs', formatCount(progress.version)],
          ['Compute units', formatCount(progress.units)],
          !!progress.queue_place && ['Place in the queue', formatCount(progress.queue_place)],
          progress.restarts > 0 && [sql ? 'Begun again by Flink' : 'Workers that ended unasked', formatCount(progress.restarts)],
          (!!progress.watermark_at || timed) && [sql ? 'Event time is at' : 'Done up to', progress.watermark_at ? <Moment key="w" at={progress.watermark_at} /> : 'not known yet'],
          !!progress.suspended_at && ['Asleep since', <Moment key="s" at={progress.suspended_at} />],
          ['Reported', <Age key="r" at={progress.reported_at} />],
        ]} />
        {progress.failures.length > 0 && <Table caption="What went wrong" rows={progress.failures} columns={columns} id={(f) => `${f.code}/${f.step ?? 0}`} still />}
      </div>
    </Section>
  )
}
