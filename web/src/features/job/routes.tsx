// Jobs: the list, and one with how it goes, what it does, and its versions.
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import type { Call } from '../../api/client.ts'
import type { Job } from '../../api/types.ts'
import { kindNamed } from '../../app/kinds.ts'
import { useAddress, useDialogInAddress } from '../../app/search.ts'
import { ActDialog } from '../../ui/act-dialog.tsx'
import { Button } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Crumb, Crumbs, ObjectCrumb } from '../../ui/crumbs.tsx'
import { Tabs } from '../../ui/facts.tsx'
import { PageHead } from '../../ui/list-page.tsx'
import { useNames } from '../../ui/object-link.tsx'
import { ObjectPage } from '../../ui/object-page.tsx'
import { useToast } from '../../ui/toast.tsx'
import { WorkersTab } from './decisions.tsx'
import { useJobFields } from './forms.tsx'
import { JobTable } from './job-table.tsx'
import { JobOverview } from './overview.tsx'
import { useJob } from './queries.ts'
import { ProgramTab } from './program-tab.tsx'
import { VersionsTab } from './versions.tsx'

const KIND = kindNamed('Job')!

export function JobsPage() {
  const create = useDialogInAddress('create')
  const { cluster } = useAddress()
  const fields = useJobFields()
  const button = <Button tone="primary" icon="plus" onClick={create.show}>Create job</Button>
  return (
    <>
      <PageHead title="Jobs" intro="Programs that run beside your clusters: they read topics and write others, by steps over each record or by a statement in SQL. Records stay in the data plane." actions={button} />
      <JobTable cluster={cluster} action={button} />
      <ChangeDialog
        open={create.open} title="Create a job" act="Create job" fields={fields} initial={cluster ? { cluster } : undefined}
        call={() => ({ method: 'post', path: '/v1/jobs' })} onClose={create.close} onDone={() => undefined}
      />
    </>
  )
}

interface Act {
  title: string
  text: string
  call: Call
}

const stopping = (job: Job): Act => {
  const stands = job.spec.desired_state === 'STOPPED'
  const desired_state = !stands ? 'STOPPED' : job.spec.auto_suspend ? 'AUTO_SUSPEND' : 'RUNNING'
  return {
    title: stands ? 'Start' : 'Stop', text: stands ? 'It goes on where it was.' : 'Its workers end; it keeps its place.',
    call: { method: 'patch', path: '/v1/jobs/{id}', id: job.id, body: { spec: { desired_state } }, generation: job.metadata.generation },
  }
}
const restarting = (job: Job): Act => ({
  title: 'Restart', text: job.spec.program.kind === 'SQL' ? 'Flink ends it with a savepoint and begins it again from there.' : 'Its workers end and begin again where they were.',
  call: { method: 'post', path: '/v1/jobs/{id}/restart', id: job.id, body: {}, generation: job.metadata.generation },
})

export function JobPage() {
  const { id } = useParams({ strict: false })
  const fields = useJobFields()
  const clusterName = useNames('/v1/clusters')
  const [act, setAct] = useState<Act | undefined>(undefined)
  const say = useToast()
  return (
    <>
      <ObjectPage
        kind={KIND} query={useJob(id)} fields={fields}
        deletes="Its workers end and it forgets its place. The topics stay, and what was written stays in them."
        crumbs={(job) => <Crumbs><Crumb to="/jobs">Jobs</Crumb><ObjectCrumb id={job.spec.cluster} name={clusterName(job.spec.cluster)} /></Crumbs>}
        actions={(job) => job.status.phase !== 'DELETING' && <Button onClick={() => setAct(stopping(job))}>{stopping(job).title}</Button>}
        menu={(job) => (job.status.phase === 'DELETING' ? [] : [{ label: 'Restart…', icon: 'right', onSelect: () => setAct(restarting(job)) }])}
      >
        {(job) => (
          <Tabs
            label={`Parts of job ${job.spec.name}`}
            tabs={[
              { key: 'overview', label: 'Overview', content: () => <JobOverview job={job} /> },
              // A statement stands in the overview.
              ...(job.spec.program.kind === 'SQL' ? [] : [{ key: 'program', label: 'Program', content: () => <ProgramTab program={job.spec.program} /> }]),
              { key: 'workers', label: 'Workers', content: () => <WorkersTab job={job} /> },
              { key: 'versions', label: 'Versions', content: () => <VersionsTab job={job} /> },
            ]}
          />
        )}
      </ObjectPage>
      {act && (
        <ActDialog open title={`${act.title} the job`} act={`${act.title} job`} call={act.call} onClose={() => setAct(undefined)} onDone={() => say('The wish was noted')}>
          <p className="note">{act.text}</p>
        </ActDialog>
      )}
    </>
  )
}
