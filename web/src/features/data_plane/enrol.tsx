// The enrolment command, shown once, and live progress until the agent is there.
import type { DataPlane, Enrollment } from '../../api/types.ts'
import { CodeBlock } from '../../ui/copyable.tsx'
import { Until } from '../../ui/status.tsx'
import { useDataPlane } from './queries.ts'

export type CreatedDataPlane = DataPlane & { enrollment?: Enrollment }

export function Enrol({ id, enrollment }: { id: string; enrollment: Enrollment }) {
  const plane = useDataPlane(id).data
  return (
    <div className="enrol">
      <p>Run this on a machine inside the network where the brokers are to be. The token works once and ends <Until at={enrollment.expires_at} />.</p>
      <div data-secret><CodeBlock text={onLines(enrollment.command)} label="enrolment command" wrap /></div>
      <Progress plane={plane} />
    </div>
  )
}

/** One option a line, so that no line breaks inside one; a shell reads it as one command. */
function onLines(command: string): string {
  return command.replaceAll(' --', ' \\\n  --')
}

export function Progress({ plane }: { plane: DataPlane | undefined }) {
  const status = plane?.status
  const steps: [string, boolean, string][] = [
    ['Agent enrolled', !!status?.enrolled_at, 'waiting for the command to run'],
    ['Agent connected', !!status?.connected, 'waiting for its stream'],
    ['Wishes accepted', caughtUp(status?.accepted_generation, status?.desired_generation), 'waiting for the agent to check and keep them'],
    ['Wishes carried out', caughtUp(status?.applied_generation, status?.desired_generation), 'waiting for brokers and gateway'],
  ]
  const next = steps.findIndex(([, done]) => !done)
  return (
    <div role="status"><ol className="steps">
      {steps.map(([label, done, waiting], index) => (
        <li key={label} className={done ? 'done' : index === next ? 'now' : ''}>
          <span aria-hidden="true">{done ? '✓' : index === next ? '◐' : '○'}</span> {label}
          <span className="muted">{done ? '' : index === next ? ` – ${waiting}` : ''}</span>
          <span className="hidden-visually">{done ? ' (done)' : ' (not yet)'}</span>
        </li>
      ))}
    </ol></div>
  )
}

export function caughtUp(reached: number | null | undefined, wished: number | null | undefined): boolean {
  return typeof reached === 'number' && typeof wished === 'number' && reached >= wished
}
