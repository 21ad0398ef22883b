// The topics of a link: which are copied, and what each copy is called.
import { Button } from '../../ui/button.tsx'
import type { CustomProps } from '../../ui/form/fields.ts'
import { Faults } from '../job/faults.tsx'
import { readTopics, topicsText, type TopicDraft } from './link.ts'

export interface Choice {
  id: string
  name: string
  /** The cluster that it is in. */
  cluster: string
}

interface TopicsEditorProps extends CustomProps {
  choices: readonly Choice[]
  /** Copies that are there keep their names. */
  held: ReadonlySet<string>
}

export function TopicsEditor({ id, text, faults, onChange, choices, held }: TopicsEditorProps) {
  const topics = readTopics(text)
  const put = (next: readonly TopicDraft[], left = faults) => onChange(topicsText(next), left)
  const free = choices.filter((choice) => !topics.some((t) => t.topic === choice.id))
  const clusters = [...new Set(free.map((choice) => choice.cluster))]
  const nameOf = (topic: string) => choices.find((choice) => choice.id === topic)?.name ?? topic
  return (
    <div className="prices" id={id} role="group" aria-label="Topics" tabIndex={-1}>
      {topics.map((topic, at) => (
        <fieldset className="program-sink" key={topic.topic}>
          <legend>{nameOf(topic.topic)}</legend>
          {held.has(topic.topic)
            ? <p className="hint">Copied as <code>{topic.name}</code>.</p>
            : (
              <label className="program-line">
                <span>Called there</span>
                <input type="text" spellCheck={false} autoComplete="off" placeholder="as here" value={topic.name} onChange={(event) => put(topics.map((it, index) => (index === at ? { ...it, name: event.target.value } : it)), faults.filter((f) => !f.at.startsWith(`${at}/`)))} />
              </label>
            )}
          <Faults faults={faults.filter((f) => f.at === String(at) || f.at.startsWith(`${at}/`))} />
          <Button onClick={() => put(topics.filter((_, index) => index !== at), [])}>{held.has(topic.topic) ? 'Take it out of the link' : 'Leave this topic out'}</Button>
        </fieldset>
      ))}
      {free.length > 0 && (
        <label className="program-line">
          <span>Add a topic of the source</span>
          <select value="" onChange={(event) => event.target.value && put([...topics, { topic: event.target.value, name: '' }])}>
            <option value="">Choose…</option>
            {clusters.map((cluster) => (
              <optgroup key={cluster} label={cluster}>
                {free.filter((choice) => choice.cluster === cluster).map((choice) => <option key={choice.id} value={choice.id}>{choice.name}</option>)}
              </optgroup>
            ))}
          </select>
        </label>
      )}
      <Faults faults={faults.filter((f) => !/^\d/.test(f.at))} />
    </div>
  )
}
