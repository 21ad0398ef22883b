// The versions of a job, the newest first; an older one can run again.
import { useState } from 'react'
import type { Job, JobVersion } from '../../api/types.ts'
import { ActDialog } from '../../ui/act-dialog.tsx'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { formatCount } from '../../ui/format.ts'
import { ObjectLink } from '../../ui/object-link.tsx'
import { Failure, Skeleton } from '../../ui/states.tsx'
import { Age } from '../../ui/status.tsx'
import { LineDiff } from '../../ui/line-diff.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { useToast } from '../../ui/toast.tsx'
import { ProgramTab } from './program-tab.tsx'
import { comparedTexts, programText } from './program.ts'
import { useJobVersions } from './queries.ts'

export function VersionsTab({ job }: { job: Job }) {
  const latest = job.status.latest_version
  const versions = useJobVersions(job.id, latest)
  const [shown, setShown] = useState<JobVersion | undefined>(undefined)
  const [again, setAgain] = useState<number | undefined>(undefined)
  const say = useToast()
  if (versions.isPending) return <Skeleton label="Reading the versions" />
  if (!versions.data) return <Failure error={versions.error} again={() => void versions.refetch()} />
  const rows = versions.data.pages.flatMap((page) => page.data)
  const columns: readonly Column<JobVersion>[] = [
    { key: 'version', label: 'Version', cell: (v) => `${formatCount(v.version)}${v.version === latest ? ' (newest)' : ''}` },
    { key: 'program', label: 'Program', cell: (v) => programText(v.program) },
    { key: 'state', label: 'Began', cell: (v) => beganText(v) },
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
      <Table caption="Versions" rows={rows} columns={columns} id={(v) => String(v.version)} still />
      {versions.hasNextPage && <Button busy={versions.isFetchingNextPage} onClick={() => void versions.fetchNextPage()}>Older versions</Button>}
      {shown && <Dialog open title={`Version ${shown.version}`} onClose={() => setShown(undefined)}><VersionView version={shown} before={rows.find((v) => v.version === shown.version - 1)} /></Dialog>}
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

function beganText({ version, keeps_state: keeps }: JobVersion): string {
  if (version === 1) return 'as the first'
  return keeps ? 'where the one before was' : 'anew'
}

/** What a version does, and how it differs from the one before, if that was read. */
function VersionView({ version, before }: { version: JobVersion; before: JobVersion | undefined }) {
  const after = comparedTexts(version.program)
  const old = before && comparedTexts(before.program)
  return (
    <div className="dialog-main">
      <ProgramTab program={version.program} />
      {old && [...new Set([...Object.keys(old), ...Object.keys(after)])].map((title) => (
        <LineDiff key={title} title={`${title}, since version ${version.version - 1}`} before={old[title] ?? ''} after={after[title] ?? ''} />
      ))}
    </div>
  )
}
