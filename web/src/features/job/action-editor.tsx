// A program without code: what is read, what is done, where it goes.
import { Button } from '../../ui/button.tsx'
import { StepList } from './step-list.tsx'
import { ENCODINGS, type ActionDraft, type Encoding } from './program.ts'

interface ActionEditorProps {
  draft: ActionDraft
  onChange: (draft: ActionDraft) => void
  topics: readonly { id: string; label: string }[]
}

export function ActionEditor({ draft, onChange, topics }: ActionEditorProps) {
  const put = (part: Partial<ActionDraft>) => onChange({ ...draft, ...part })
  const putSink = (at: number, part: Partial<ActionDraft['sinks'][number]>) => put({ sinks: draft.sinks.map((sink, index) => (index === at ? { ...sink, ...part } : sink)) })
  const choices = topics.map((topic) => <option key={topic.id} value={topic.id}>{topic.label}</option>)
  return (
    <>
      <label className="program-line">
        <span>Reads</span>
        <select value={draft.source} onChange={(event) => put({ source: event.target.value })}><option value="">Choose a topic…</option>{choices}</select>
      </label>
      <label className="program-line">
        <span>Begins with</span>
        <select value={draft.start} onChange={(event) => put({ start: event.target.value as ActionDraft['start'] })}>
          <option value="EARLIEST">the oldest record that is left</option>
          <option value="LATEST">the first record after its start</option>
        </select>
      </label>
      <StepList text={draft.steps} onChange={(steps) => put({ steps })} />
      {draft.sinks.map((sink, at) => (
        <fieldset className="program-sink" key={at}>
          <legend>Sink {draft.sinks.length > 1 ? at + 1 : ''}</legend>
          <label className="program-line"><span>Name in steps</span><input type="text" value={sink.name} onChange={(event) => putSink(at, { name: event.target.value })} /></label>
          <label className="program-line"><span>Writes</span><select value={sink.topic} onChange={(event) => putSink(at, { topic: event.target.value })}><option value="">Choose a topic…</option>{choices}</select></label>
          <label className="program-line">
            <span>Values</span>
            <select value={sink.encoding} onChange={(event) => putSink(at, { encoding: event.target.value as Encoding })}>{ENCODINGS.map((e) => <option key={e.value} value={e.value}>{e.label}</option>)}</select>
          </label>
          {draft.sinks.length > 1 && <Button onClick={() => put({ sinks: draft.sinks.filter((_, index) => index !== at) })}>Remove sink</Button>}
        </fieldset>
      ))}
      <Button icon="plus" onClick={() => put({ sinks: [...draft.sinks, { name: `sink-${draft.sinks.length + 1}`, topic: '', encoding: 'KEEP' }] })}>Add sink</Button>
      <label className="program-line">
        <span>Records that a step cannot take</span>
        <select value={draft.deadLetter} onChange={(event) => put({ deadLetter: event.target.value })}><option value="">stop the job</option>{choices}</select>
      </label>
      <label className="program-line">
        <span>Records without a value</span>
        <select value={draft.nulls} onChange={(event) => put({ nulls: event.target.value as ActionDraft['nulls'] })}><option value="PASS">pass</option><option value="DROP">are dropped</option></select>
      </label>
    </>
  )
}
