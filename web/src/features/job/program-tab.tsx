// What a job does: what it reads, its steps or its statement, where it writes.
import { CodeBlock } from '../../ui/copyable.tsx'
import { Facts } from '../../ui/facts.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { ENCODINGS, jsonText, stepsText, type ActionProgram, type Program } from './program.ts'
import { SqlView } from './sql-view.tsx'

/** Clients meet kinds that they do not know. */
export function ProgramTab({ program }: { program: Program }) {
  switch (program.kind) {
    case 'ACTION': return <ActionView program={program} />
    case 'SQL': return <SqlView program={program} />
    default: return <CodeBlock text={jsonText(program)} label="program" />
  }
}

function ActionView({ program }: { program: ActionProgram }) {
  const topicName = useNames('/v1/topics')
  const link = (id: string) => <ObjectLink id={id} name={topicName(id)} />
  const encoding = (value: string | undefined) => ENCODINGS.find((e) => e.value === value)?.label ?? value ?? 'as it came'
  return (
    <div className="stack">
      <Facts items={[
        ['Reads', link(program.source.topic)],
        ['Began with', program.source.start === 'LATEST' ? 'the first record after its start' : 'the oldest record that was left'],
        ...program.sinks.map((sink) => [`Writes (${sink.name})`, <span key={sink.name}>{link(sink.topic)}, {encoding(sink.encoding)}</span>] as const),
        ['Dead letters', program.dead_letter ? link(program.dead_letter) : 'none: the job stops at a record that a step cannot take'],
        ['Records without a value', program.null_values === 'DROP' ? 'are dropped' : 'pass'],
      ]} />
      <CodeBlock text={stepsText(program.steps)} label="steps" />
    </div>
  )
}
