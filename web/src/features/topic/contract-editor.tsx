// The control of the topic form for its contract.
import { BEGINNING, ENFORCEMENTS, PART, readContract, STRATEGIES, type Enforcement, type Inputs, type Part, type Strategy } from './contract.ts'

interface EditorProps {
  id: string
  text: string
  onChange: (text: string) => void
  topics: readonly { id: string; name: string }[]
}

export function ContractEditor({ id, text, onChange, topics }: EditorProps) {
  const inputs = readContract(text)
  const put = (change: Partial<Inputs>) => onChange(JSON.stringify({ ...(inputs ?? BEGINNING), ...change }))
  return (
    <div className="prices" id={id} role="group" aria-label="Contract" tabIndex={-1}>
      <select aria-label="What happens to records that break it" value={inputs?.enforcement ?? ''} onChange={(event) => (event.target.value === '' ? onChange('') : put({ enforcement: event.target.value as Enforcement }))}>
        <option value="">None: any record is taken</option>
        {ENFORCEMENTS.map((e) => <option key={e.value} value={e.value}>{e.label}</option>)}
      </select>
      {inputs && (
        <>
          <PartEditor label="Values" part={inputs.value} onChange={(value) => put({ value })} />
          <PartEditor label="Keys" part={inputs.key} onChange={(key) => put({ key })} />
          {inputs.enforcement === 'DLQ' && (
            <label className="price-line">
              <select aria-label="Dead-letter topic" value={inputs.dead_letter_topic ?? ''} onChange={(event) => put({ dead_letter_topic: event.target.value || null })}>
                <option value="">Choose a topic</option>
                {topics.map((t) => <option key={t.id} value={t.id}>{t.name}</option>)}
              </select>
              <span>takes the dead letters</span>
            </label>
          )}
        </>
      )}
    </div>
  )
}

function PartEditor({ label, part, onChange }: { label: string; part: Part | null; onChange: (part: Part | null) => void }) {
  return (
    <>
      <label className="check">
        <input type="checkbox" checked={part !== null} onChange={(event) => onChange(event.target.checked ? PART : null)} />
        {label} are of a schema of the registry
      </label>
      {part && (
        <select aria-label={`Subject of ${label.toLowerCase()}`} value={part.strategy} onChange={(event) => onChange({ ...PART, strategy: event.target.value as Strategy })}>
          {STRATEGIES.map((s) => <option key={s.value} value={s.value}>{s.label}</option>)}
        </select>
      )}
      {part?.strategy === 'TOPIC_NAME' && (
        <label className="check">
          <input type="checkbox" checked={part.unframed === 'JSON'} onChange={(event) => onChange({ ...part, unframed: event.target.checked ? 'JSON' : 'REFUSED' })} />
          {label} without a schema id are taken for JSON of the newest version
        </label>
      )}
    </>
  )
}
