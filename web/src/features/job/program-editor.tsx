// The control of a job's program: of which kind it is, and what it does.
import { useId } from 'react'
import type { CustomProps } from '../../ui/form/fields.ts'
import type { Fault } from '../../ui/form/parse.ts'
import { ActionEditor } from './action-editor.tsx'
import { Faults } from './faults.tsx'
import { faultText, readDraft, type Draft, type Kind } from './program.ts'
import { ProgramJson, SqlEditor } from './sql-editor.tsx'
import type { TopicChoice } from './sql.ts'

const KINDS: readonly { value: Kind; label: string; does: string }[] = [
  { value: 'ACTION', label: 'Steps, without code', does: 'One topic, one record after the other: filter, mask, convert, route.' },
  { value: 'SQL', label: 'SQL', does: 'Windows of time, joins and sums over many topics, by Apache Flink.' },
]

export function ProgramEditor({ id, text, onChange, faults, topics }: CustomProps & { topics: readonly TopicChoice[] }) {
  const draft = readDraft(text)
  const group = useId()
  const put = (part: Partial<Draft>, left?: readonly Fault[]) => onChange(JSON.stringify({ ...draft, ...part }), left)
  return (
    <div className="prices" id={id} role="group" aria-label="Program" tabIndex={-1}>
      <fieldset className="choices">
        <legend className="hidden-visually">Kind of program</legend>
        {KINDS.map((kind) => (
          <label className="check" key={kind.value}>
            <input type="radio" name={group} value={kind.value} checked={draft.kind === kind.value} onChange={() => put({ kind: kind.value }, [])} />
            <span>{kind.label}<span className="hint"> {kind.does}</span></span>
          </label>
        ))}
      </fieldset>
      {draft.held && draft.held.kind !== draft.kind && <p className="note warn">A program of another kind remembers nothing of the one before: it begins where its sources say.</p>}
      {draft.kind === 'ACTION' && <ActionEditor draft={draft.action} onChange={(action) => put({ action })} topics={topics} />}
      {draft.kind === 'SQL' && draft.json === undefined && (
        <SqlEditor draft={draft.sql} faults={faults} topics={topics} evolves={draft.held?.kind === 'SQL'} onChange={(sql, left) => put({ sql }, left)} onJson={(json) => put({ json }, [])} />
      )}
      {draft.kind === 'SQL' && draft.json !== undefined && (
        <ProgramJson text={draft.json} faults={faults} onChange={(json) => put({ json })} onForm={(sql) => put({ json: undefined, sql }, [])} />
      )}
      {draft.kind === 'ACTION' && <Faults faults={faults.map((fault) => ({ ...fault, detail: faultText(fault) }))} />}
    </div>
  )
}
