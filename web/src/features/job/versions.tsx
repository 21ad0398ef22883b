// The versions of a job, the newest first; an older one can run again.
import { useState } from 'react'
import type { Job, JobVersion } from '../../api/types.ts'
import { ActDialog } from '../../ui/act-dialog.tsx'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { formatCount, plural } from '../../ui/format.ts'
import { ObjectLink } from '../../ui/object-link.tsx'
import { Failure, Skeleton } from '../../ui/states.tsx'
import { Age } from '../../ui/status.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { useToast } from '../../ui/toast.tsx'
import { ProgramTab } from './program-tab.tsx'
import { useJobVersions } from './queries.ts'

export function VersionsTab({ job }: { job: Job }) {
  const latest = job.status.latest_version
  const versions = useJobVersions(job.id, latest)
  const [shown, setShown] = useState<JobVersion | undefined>(undefined)
  const [again, setAgain] = useState<number | undefined>(undefined)
  const say = useToast()
  if (versions.isPending) return <Skeleton label="Reading the versions" />
  if (!versions.data) return <Failure error={versions.error} again={() => void versions.refetch()} />
  const columns: readonly Column<JobVersion>[] = [
    { key: 'version', label: 'Version', cell: (v) => `${formatCount(v.version)}${v.version === latest ? ' (newest)' : ''}` },
    { key: 'steps', label: 'Steps', cell: (v) => plural(v.program.steps.length, 'step') },
    { key: 'by', label: 'By', cell: (v) => <ObjectLink id={v.created_by} /> },
    { key: 'at', label: 'Made', cell: (v) => <Age at={v.created_at} /> },
    {
      key: 'act', label: 'Actions', unlabelled: true, align: 'right', cell: (v) => (
        <span className="actions">
          <Button onClick={() => setShown(v)}>Show</Button>
          {v.version !== latest && job.status.phase !== 'DELETING' && <Button onClick={() => setAgain(v.version)}>Run again</Button>}
        </span>
      ),
    },
  ]
  return (
    <>
      <Table caption="Versions" rows={versions.data.pages.flatMap((page) => page.data)} columns={columns} id={(v) => String(v.version)} still />
      {versions.hasNextPage && <Button busy={versions.isFetchingNextPage} onClick={() => void versions.fetchNextPage()}>Older versions</Button>}
      {shown && <Dialog open title={`Version ${shown.version}`} onClose={() => setShown(undefined)}><div className="dialog-main"><ProgramTab program={shown.program} /></div></Dialog>}
      {again !== undefined && (
        <ActDialog
          open title={`Run version ${again} again`} act="Run it again" onClose={() => setAgain(undefined)} onDone={() => say('The wish was noted')}
          call={{ method: 'post', path: '/v1/jobs/{id}/rollback', id: job.id, body: { version: again }, generation: job.metadata.generation }}
        >
          <p className="note">Its program becomes version {latest + 1}. Everything else of the job stays as it is.</p>
        </ActDialog>
      )}
    </>
  )
}
