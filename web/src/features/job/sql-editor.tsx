// A program in SQL: its statement, and the tables that it sees. Those that know better write all of it as JSON.
import { Button } from '../../ui/button.tsx'
import { CodeEditor } from '../../ui/code-editor.tsx'
import type { Fault } from '../../ui/form/parse.ts'
import { Faults } from './faults.tsx'
import { jsonText, parseJson } from './program.ts'
import { SinkFields, SourceFields } from './sql-table.tsx'
import { EMPTY_SINK, EMPTY_SOURCE, otherFaults, parseSql, sqlDraft, statementFaults, without, withExample, type SinkDraft, type SourceDraft, type SqlDraft, type TopicChoice } from './sql.ts'

interface SqlEditorProps {
  draft: SqlDraft
  faults: readonly Fault[]
  topics: readonly TopicChoice[]
  /** It is a version after another one in SQL. */
  evolves: boolean
  onChange: (draft: SqlDraft, left?: readonly Fault[]) => void
  onJson: (json: string) => void
}

export function SqlEditor({ draft, faults, topics, evolves, onChange, onJson }: SqlEditorProps) {
  const { sources, sinks } = draft
  const putSource = (at: number, source: SourceDraft, left?: readonly Fault[]) => onChange({ ...draft, sources: sources.map((it, index) => (index === at ? source : it)) }, left)
  const putSink = (at: number, sink: SinkDraft, left?: readonly Fault[]) => onChange({ ...draft, sinks: sinks.map((it, index) => (index === at ? sink : it)) }, left)
  const read = parseSql(draft)
  return (
    <>
      <CodeEditor label="Statement" text={draft.statement} rows={8} problems={statementFaults(faults)} onChange={(statement) => onChange({ ...draft, statement })} />
      {draft.statement.trim() === '' && <Button onClick={() => onChange(withExample(draft))}>Insert an example</Button>}
      <Allowed />
      {sources.map((source, at) => (
        <SourceFields
          key={at} at={`sources/${at}`} legend={sources.length > 1 ? `Source ${at + 1}` : 'Source'} table={source} draft={draft} faults={faults} topics={topics} onChange={(it, left) => putSource(at, it, left)}
          onRemove={sources.length > 1 ? () => onChange({ ...draft, sources: sources.filter((_, index) => index !== at) }, without(faults, 'sources', at)) : undefined}
        />
      ))}
      <Button icon="plus" onClick={() => onChange({ ...draft, sources: [...sources, EMPTY_SOURCE] })}>Add source</Button>
      {sinks.map((sink, at) => (
        <SinkFields
          key={at} at={`sinks/${at}`} legend={sinks.length > 1 ? `Sink ${at + 1}` : 'Sink'} table={sink} draft={draft} faults={faults} topics={topics} onChange={(it, left) => putSink(at, it, left)}
          onRemove={sinks.length > 1 ? () => onChange({ ...draft, sinks: sinks.filter((_, index) => index !== at) }, without(faults, 'sinks', at)) : undefined}
        />
      ))}
      <Button icon="plus" onClick={() => onChange({ ...draft, sinks: [...sinks, EMPTY_SINK] })}>Add sink</Button>
      {evolves && (
        <label className="program-line">
          <span>What the version before remembered</span>
          <select value={draft.state} onChange={(event) => onChange({ ...draft, state: event.target.value as SqlDraft['state'] })}>
            <option value="KEEP">is taken over; where Flink cannot, the job fails and says so</option>
            <option value="FORGET">is forgotten: it begins where its sources say</option>
          </select>
        </label>
      )}
      <Faults faults={otherFaults(faults)} />
      <Button onClick={() => onJson(jsonText(read.ok ? read.value : programOf(draft)))}>Edit as JSON</Button>
    </>
  )
}

/** What is not complete yet goes to JSON all the same. */
function programOf({ statement, sources, sinks }: SqlDraft) {
  const table = ({ name, topic, promised, columns }: SourceDraft | SinkDraft) => ({ name, topic, ...(!promised && { columns }) })
  return { kind: 'SQL', statement, sources: sources.map(table), sinks: sinks.map(table) }
}

function Allowed() {
  return (
    <details className="allowed">
      <summary>What a statement may be</summary>
      <ul>
        <li>A query alone, where there is one sink; or <code>INSERT INTO sink query</code></li>
        <li>Several of them: <code>EXECUTE STATEMENT SET BEGIN INSERT …; INSERT …; END</code></li>
        <li>Before it, with a semicolon: <code>CREATE TEMPORARY VIEW name AS query</code></li>
        <li>And <code>SET &apos;name&apos; = &apos;value&apos;</code> of <code>table.local-time-zone</code>, <code>table.exec.state.ttl</code> and <code>table.exec.source.idle-timeout</code>, say</li>
        <li>Tables are the sources and sinks below, by their names. A column of whole numbers that is the event time is seen as <code>event_time</code>, and so is the record&apos;s own time</li>
        <li>Comments are <code>--</code> and <code>/* */</code></li>
      </ul>
    </details>
  )
}

interface ProgramJsonProps {
  text: string
  faults: readonly Fault[]
  onChange: (text: string) => void
  onForm: (draft: SqlDraft) => void
}

/** The whole program. */
export function ProgramJson({ text, faults, onChange, onForm }: ProgramJsonProps) {
  const read = parseJson(text)
  const shown = read.ok ? sqlDraft(read.value) : undefined
  const problems = faults.map(({ at, detail }) => ({ path: at, message: detail }))
  return (
    <>
      <CodeEditor label="Program, as JSON" text={text} rows={16} problems={problems} onChange={onChange} />
      {shown ? <Button onClick={() => onForm(shown)}>Edit as a form</Button> : <p className="note">{read.ok ? 'The form cannot show this program; JSON can say all of it.' : read.error}</p>}
    </>
  )
}
