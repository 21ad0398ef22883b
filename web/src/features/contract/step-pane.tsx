// What the next version changes, and whether it may follow: as the registry will judge it, while it is written.
import { plural } from '../../ui/format.ts'
import { PartMissing, Skeleton } from '../../ui/states.tsx'
import { useComparison, type Step } from './engine.ts'
import { At, Changes } from './plan-view.tsx'
import { levelText } from './level-text.ts'

export function StepPane({ step, version }: { step: Step | undefined; version: number }) {
  const told = useComparison(step)
  if (!step) return <p className="muted">Compared with version {version} once both schemas can be read.</p>
  if (told.error !== undefined) return <PartMissing what="The comparison" error={told.error} again={told.again} />
  if (!told.data) return <Skeleton lines={2} label="Comparing" />
  const { compatible, findings, changes } = told.data
  const others = changes.filter((change) => !change.breaking)
  return (
    <div className={`stack ${told.late ? 'late' : ''}`}>
      <p role="status" className={`phase ${compatible ? 'good' : 'bad'}`}>
        <span aria-hidden="true">{compatible ? '●' : '✕'}</span>
        {compatible ? `May follow version ${version} (${levelText(step.level)})` : `May not follow version ${version} (${levelText(step.level)})`}
      </p>
      {findings.length > 0 && (
        <ul className="problems">
          {findings.map((finding, at) => <li key={at}><code>{finding.rule}</code><At path={finding.path} message={finding.message} />: {finding.message}</li>)}
        </ul>
      )}
      {findings.length === 0 && <Changes changes={changes.filter((change) => change.breaking)} none="Nothing that breaks anybody." />}
      {others.length > 0 && <details><summary>{plural(others.length, 'change')} that may be noticed</summary><Changes changes={others} /></details>}
    </div>
  )
}
