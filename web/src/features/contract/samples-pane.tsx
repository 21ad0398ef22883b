// Records to try: the gateway's verdict on each, here in the browser.
import { useId, useMemo, useState, type ReactNode } from 'react'
import type { Verdict } from '../../engine/index.ts'
import { plural, words } from '../../ui/format.ts'
import { PartMissing } from '../../ui/states.tsx'
import type { EngineDraft } from './draft.ts'
import { useVerdicts } from './engine.ts'
import { samplesOf, SAMPLES_MAX } from './samples.ts'

/** `draft`: what they are tried against; none while its schema cannot be read. */
export function SamplesPane({ draft }: { draft: EngineDraft | undefined }) {
  const [text, setText] = useState('')
  const id = useId()
  const { samples, beyond } = useMemo(() => samplesOf(text), [text])
  const trial = useMemo(() => (draft && samples.length > 0 ? { draft, records: samples.map((sample) => sample.text) } : undefined), [draft, samples])
  const verdicts = useVerdicts(trial)
  const told = verdicts.data?.filter((verdict) => samples[verdict.record]) ?? []
  return (
    <div className="samples">
      <div className="field">
        <label htmlFor={id}>Records</label>
        <textarea id={id} className="mono" rows={6} value={text} onChange={(event) => setText(event.target.value)} spellCheck={false} autoComplete="off" wrap="off" aria-describedby={`${id}-hint`} />
        <p className="hint" id={`${id}-hint`}>One JSON a line. They are judged in this browser by the engine of the gateway; they are sent nowhere and kept nowhere.</p>
      </div>
      {!draft && samples.length > 0 && <p className="muted">Judged once schema and rules can be read.</p>}
      {trial && verdicts.error !== undefined && <PartMissing what="The verdicts" error={verdicts.error} again={verdicts.again} />}
      {trial && <Sum verdicts={told} late={verdicts.late} wanted={samples.length} />}
      {trial && told.length > 0 && (
        <ol className="verdicts" aria-label="Verdicts">
          {told.map((verdict) => <One key={verdict.record} verdict={verdict} line={samples[verdict.record]!.line} />)}
        </ol>
      )}
      {beyond > 0 && <p className="muted">The first {SAMPLES_MAX} records are judged, at most 256 KiB; {plural(beyond, 'line')} more are left out.</p>}
    </div>
  )
}

function Sum({ verdicts, late, wanted }: { verdicts: readonly Verdict[]; late: boolean; wanted: number }) {
  const broken = verdicts.filter((verdict) => !verdict.valid).length
  const current = !late && verdicts.length === wanted
  return <p role="status" className="muted">{!current ? `Judging ${plural(wanted, 'record')}…` : broken === 0 ? `${plural(wanted, 'record')}, all valid.` : `${broken} of ${plural(wanted, 'record')} broke the contract.`}</p>
}

function One({ verdict, line }: { verdict: Verdict; line: number }) {
  return (
    <li className={verdict.valid ? 'good' : 'bad'}>
      <p><span aria-hidden="true">{verdict.valid ? '●' : '✕'}</span> Line {line}: {verdict.valid ? 'valid' : 'breaks the contract'}</p>
      {verdict.violations.length > 0 && (
        <ul>
          {verdict.violations.map((violation, at) => <li key={at}><Told {...violation} /></li>)}
        </ul>
      )}
    </li>
  )
}

/** `detail` may quote the record, which is this reader's own. */
function Told({ kind, rule, path, reason, detail }: Verdict['violations'][number]): ReactNode {
  return <>{rule ? <>Rule <code>{rule}</code></> : words(kind)}{path !== '' && <> at <code>{path}</code></>}: {reason}{detail && detail !== reason && <span className="muted"> ({detail})</span>}</>
}
