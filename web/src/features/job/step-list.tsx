// The steps of a program without code: a card for each, in their order. Those that know better write JSON.
import { useId, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { stepsText } from './program.ts'
import { KINDS, newRow, rowsOf, stepOf, type Part, type Row } from './steps.ts'

interface StepListProps {
  text: string
  onChange: (text: string) => void
  /** Which steps can be added, where not all can. */
  kinds?: readonly string[]
}

export function StepList({ text, onChange, kinds }: StepListProps) {
  const [rows, setRows] = useState(() => rowsOf(text))
  if (rows === undefined) {
    const shown = rowsOf(text)
    return (
      <>
        <label className="program-line">
          <span>Steps, in this order, as JSON</span>
          <textarea className="code" rows={7} spellCheck={false} value={text} onChange={(event) => onChange(event.target.value)} />
        </label>
        {shown ? <Button onClick={() => setRows(shown)}>Edit as a form</Button> : <p className="note">The form cannot show these steps; JSON can say all of them.</p>}
      </>
    )
  }
  const put = (next: Row[]) => {
    setRows(next)
    onChange(stepsText(next.map(stepOf)))
  }
  const swap = (at: number, other: number) => put(rows.map((row, index) => (index === at ? rows[other]! : index === other ? rows[at]! : row)))
  return (
    <>
      {rows.map((row, at) => (
        <fieldset className="program-sink" key={at}>
          <legend>{`Step ${at + 1}: ${KINDS[row.kind]!.label}`}</legend>
          {KINDS[row.kind]!.parts.map((part) => (
            <PartLine key={part.name} part={part} text={row.texts[part.name] ?? ''} onChange={(said) => put(rows.map((it, index) => (index === at ? { ...it, texts: { ...it.texts, [part.name]: said } } : it)))} />
          ))}
          {Object.keys(row.rest).length > 0 && <p className="note">Also: {Object.keys(row.rest).join(', ')} (as JSON)</p>}
          <div className="price-line">
            {at > 0 && <Button onClick={() => swap(at, at - 1)}>Move up</Button>}
            {at < rows.length - 1 && <Button onClick={() => swap(at, at + 1)}>Move down</Button>}
            <Button onClick={() => put(rows.filter((_, index) => index !== at))}>Remove step</Button>
          </div>
        </fieldset>
      ))}
      <label className="program-line">
        <span>Add a step</span>
        <select value="" onChange={(event) => put([...rows, newRow(event.target.value)])}>
          <option value="">Choose what it does…</option>
          {Object.entries(KINDS).filter(([kind]) => kinds?.includes(kind) ?? true).map(([kind, { label }]) => <option key={kind} value={kind}>{label}</option>)}
        </select>
      </label>
      <Button onClick={() => setRows(undefined)}>Edit as JSON</Button>
    </>
  )
}

function PartLine({ part, text, onChange }: { part: Part; text: string; onChange: (text: string) => void }) {
  const hint = useId()
  const many = part.as === 'map' || part.as === 'rules'
  const common = { spellCheck: false, value: text, 'aria-describedby': part.hint && hint }
  return (
    <>
      <label className="program-line">
        <span>{part.label}</span>
        {many
          ? <textarea className="code" rows={3} {...common} onChange={(event) => onChange(event.target.value)} />
          : <input type="text" inputMode={part.as === 'whole' ? 'numeric' : undefined} {...common} onChange={(event) => onChange(event.target.value)} />}
      </label>
      {part.hint && <p className="hint" id={hint}>{part.hint}</p>}
    </>
  )
}
