// The topics of a share: of each which records, which fields are hidden, what else is done, and what it is called there.
import { Button, IconButton } from '../../ui/button.tsx'
import type { CustomProps } from '../../ui/form/fields.ts'
import { Faults } from '../job/faults.tsx'
import { StepList } from '../job/step-list.tsx'
import type { ContractField } from './contract-fields.ts'
import { faultText, masksOf, newTopic, readTopics, topicsText, type TopicDraft } from './draft.ts'
import { MASKS } from './share.ts'

const STEPS = ['filter', 'mask', 'project']

interface TopicsEditorProps extends CustomProps {
  nameOf: (id: string) => string
  /** Topics of the cluster that can be added. */
  others: readonly { id: string; name: string }[]
  readFields: (id: string) => Promise<readonly ContractField[]>
  /** Accepted: only what is done with records changes. */
  taken: boolean
  /** It exists: its masks are among its steps. */
  editing: boolean
}

export function TopicsEditor({ id, text, faults, onChange, nameOf, others, readFields, taken, editing }: TopicsEditorProps) {
  const topics = readTopics(text)
  const put = (next: readonly TopicDraft[], left = faults) => onChange(topicsText(next), left)
  const free = others.filter((other) => !topics.some((t) => t.topic === other.id))
  const add = (topic: string) => {
    if (topic === '') return
    // Without the contract's word nothing is chosen, and paths are typed.
    void readFields(topic).catch(() => []).then((fields) => put([...topics, newTopic(topic, fields)]))
  }
  return (
    <div className="prices" id={id} role="group" aria-label="Topics" tabIndex={-1}>
      {topics.map((topic, at) => (
        <fieldset className="program-sink" key={topic.topic}>
          <legend>{nameOf(topic.topic)}</legend>
          <TopicPart topic={topic} taken={taken} editing={editing} onChange={(part) => put(topics.map((it, index) => (index === at ? { ...it, ...part } : it)), faults.filter((f) => !f.at.startsWith(`${at}/`)))} />
          <Faults faults={faults.filter((f) => f.at === String(at) || f.at.startsWith(`${at}/`)).map((f) => ({ ...f, detail: faultText(text, f) }))} />
          {topics.length > 1 && !taken && <Button onClick={() => put(topics.filter((_, index) => index !== at), [])}>Leave this topic out</Button>}
        </fieldset>
      ))}
      {!taken && free.length > 0 && (
        <label className="program-line">
          <span>Add a topic of the same cluster</span>
          <select value="" onChange={(event) => add(event.target.value)}>
            <option value="">Choose…</option>
            {free.map((other) => <option key={other.id} value={other.id}>{other.name}</option>)}
          </select>
        </label>
      )}
      <Faults faults={faults.filter((f) => !/^\d/.test(f.at))} />
    </div>
  )
}

function TopicPart({ topic, taken, editing, onChange }: { topic: TopicDraft; taken: boolean; editing: boolean; onChange: (part: Partial<TopicDraft>) => void }) {
  const further = (
    <>
      <StepList text={topic.steps} kinds={STEPS} onChange={(steps) => onChange({ steps })} />
      <label className="program-line">
        <span>Keys of records</span>
        <select value={topic.keys} onChange={(event) => onChange({ keys: event.target.value as TopicDraft['keys'] })}>
          <option value="">hashed where something is masked</option>
          <option value="SHOWN">as they are</option>
          <option value="HASHED">hashed</option>
          <option value="WITHHELD">not shown</option>
        </select>
      </label>
      <label className="program-line">
        <span>Values at rest</span>
        <select value={topic.rest.encryption ? 'WHOLE' : ''} onChange={(event) => onChange({ rest: { ...topic.rest, encryption: event.target.value ? { values: event.target.value } : undefined } })}>
          <option value="">as they are written</option>
          <option value="WHOLE">encrypted, under keys of both sides</option>
        </select>
      </label>
      {!taken && <label className="program-line"><span>Called there</span><input type="text" spellCheck={false} placeholder="as here" value={topic.alias} onChange={(event) => onChange({ alias: event.target.value })} /></label>}
    </>
  )
  return (
    <>
      {!editing && <Masks topic={topic} onChange={onChange} />}
      {!taken && (
        <div className="program-pair">
          <label className="program-line">
            <span>Shows</span>
            <select value={topic.start} onChange={(event) => onChange({ start: event.target.value as TopicDraft['start'] })}>
              <option value="LATEST">records from the acceptance on</option>
              <option value="EARLIEST">everything that it still has</option>
              <option value="TIMESTAMP">records from a moment on</option>
            </select>
          </label>
          {topic.start === 'TIMESTAMP' && <label className="program-line"><span>From</span><input type="datetime-local" value={topic.at} onChange={(event) => onChange({ at: event.target.value })} /></label>}
        </div>
      )}
      {editing ? further : <details><summary>Filters, further masks and another name</summary>{further}</details>}
    </>
  )
}

function Masks({ topic, onChange }: { topic: TopicDraft; onChange: (part: Partial<TopicDraft>) => void }) {
  const typed = Object.keys(topic.masks).filter((p) => !topic.fields.some((f) => f.path === p))
  const rows: readonly (ContractField & { own?: boolean })[] = [...topic.fields, ...typed.map((p) => ({ path: p, type: '', tags: [], own: true }))]
  const nothing = topic.path.trim() === ''
  const add = () => onChange({ masks: masksOf(topic), path: '' })
  const without = (gone: string) => Object.fromEntries(Object.entries(topic.masks).filter(([p]) => p !== gone))
  return (
    <>
      {rows.length > 0 && (
        <ul className="share-fields" aria-label="Fields">
          {rows.map((field) => (
            <li key={field.path}>
              <span><code>{field.path}</code> {field.type && <span className="muted">{field.type}</span>} {field.tags.map((tag) => <span key={tag} className="tag busy">{tag}</span>)}</span>
              <select aria-label={`${field.path} is shown`} value={topic.masks[field.path] ?? ''} onChange={(event) => onChange({ masks: { ...topic.masks, [field.path]: event.target.value } })}>
                {!field.own && <option value="">As it is</option>}
                {MASKS.map((mask) => <option key={mask.value} value={mask.value}>{mask.short}</option>)}
              </select>
              {field.own && <IconButton icon="close" label={`Do not mask ${field.path}`} onClick={() => onChange({ masks: without(field.path) })} />}
            </li>
          ))}
        </ul>
      )}
      <div className="share-path">
        <input
          type="text" aria-label="Path of a field to mask" placeholder={rows.length > 0 ? 'another field, such as customer.name' : 'field to mask, such as customer.name'} spellCheck={false} autoComplete="off" value={topic.path}
          onChange={(event) => onChange({ path: event.target.value })}
          onKeyDown={(event) => {
            // Enter here means this field, not the whole form.
            if (event.key !== 'Enter' || nothing) return
            event.preventDefault()
            add()
          }}
        />
        <Button onClick={add} disabled={nothing}>Mask it</Button>
      </div>
      {topic.fields.length === 0 && <p className="hint">No contract names the fields of this topic; without masks everything is shown.</p>}
    </>
  )
}
