// The control of a job's workers: how many, whether decisions are carried out, and what is its own of the policy.
import type { CustomProps } from '../../ui/form/fields.ts'
import { Faults } from './faults.tsx'
import { readScaling, type ScalingDraft } from './scaling.ts'

export function ScalingEditor({ id, text, onChange, faults }: CustomProps) {
  const draft = readScaling(text)
  const put = (part: Partial<ScalingDraft>) => onChange(JSON.stringify({ ...draft, ...part }), [])
  return (
    <div className="prices" id={id} role="group" aria-label="Workers" tabIndex={-1}>
      <label className="program-line"><span>How many</span><input type="text" value={draft.workers} onChange={(event) => put({ workers: event.target.value })} /></label>
      <label className="program-line">
        <span>Decisions about them</span>
        <select value={draft.mode} onChange={(event) => put({ mode: event.target.value as ScalingDraft['mode'] })}>
          <option value="">as usual: carried out</option>
          <option value="ACTIVE">are carried out</option>
          <option value="MONITORING">are advice, and change nothing</option>
        </select>
      </label>
      <label className="program-line"><span>Policy of its own, as JSON</span><textarea rows={6} className="mono" spellCheck={false} value={draft.policy} onChange={(event) => put({ policy: event.target.value })} placeholder={'{"utilization_target": 0.5}'} /></label>
      <Faults faults={faults} />
    </div>
  )
}
