// How a job goes, as its agent said last.
import type { Job } from '../../api/types.ts'
import { Facts, Section } from '../../ui/facts.tsx'
import { formatCount, words } from '../../ui/format.ts'
import { Labels } from '../../ui/labels.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { Age, Moment } from '../../ui/status.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { lagText, wishText, workersText } from './job.ts'

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
      {status.progress ? <HowItGoes progress={status.progress} /> : <p className="muted">The agent has told nothing of it yet.</p>}
      <Section title="What is wished">
        <Facts items={[
          ['Wish', wishText(spec)],
          ['Workers', workersText(job)],
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

function HowItGoes({ progress }: { progress: Progress }) {
  return (
    <Section title="How it goes" note="As the agent said last; counts begin with the job.">
      <div className="stack">
        <Facts items={[
          ['Behind', lagText(progress)],
          ['Read', formatCount(progress.records_in)],
          ['Written', formatCount(progress.records_out)],
          ['Left out', formatCount(progress.records_dropped)],
          ['Dead letters', formatCount(progress.records_dead)],
          ['Version that runs', formatCount(progress.version)],
          ['Compute units', formatCount(progress.units)],
          !!progress.queue_place && ['Place in the queue', formatCount(progress.queue_place)],
          progress.restarts > 0 && ['Workers that ended unasked', formatCount(progress.restarts)],
          !!progress.watermark_at && ['Done up to', <Moment key="w" at={progress.watermark_at} />],
          !!progress.suspended_at && ['Asleep since', <Moment key="s" at={progress.suspended_at} />],
          ['Reported', <Age key="r" at={progress.reported_at} />],
        ]} />
        {progress.failures.length > 0 && <Table caption="What went wrong" rows={progress.failures} columns={failureColumns} id={(f) => `${f.code}/${f.step ?? 0}`} still />}
      </div>
    </Section>
  )
}
