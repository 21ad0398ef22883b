// What a topic promises of its records, and how many broke it.
import { Link } from '@tanstack/react-router'
import type { Topic, TopicViolation, TopicViolations } from '../../api/types.ts'
import { useDialogInAddress, type Search } from '../../app/search.ts'
import { Button } from '../../ui/button.tsx'
import { Facts, Section } from '../../ui/facts.tsx'
import { formatCount, words } from '../../ui/format.ts'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { Empty, PartMissing, Skeleton } from '../../ui/states.tsx'
import { Age } from '../../ui/status.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { ServiceLevels } from '../service_level/levels.tsx'
import { useViolations } from './queries.ts'
import { doesText, subjectText } from './contract.ts'

export function TopicContract({ topic }: { topic: Topic }) {
  const edit = useDialogInAddress('edit')
  const topicName = useNames('/v1/topics')
  const { contract, name } = topic.spec
  if (!contract) {
    return (
      <>
        <Empty title="No contract" action={<Button onClick={edit.show}>Set a contract</Button>}>
          Any record is taken. With a contract the gateway judges each record by its schema and rules, whatever client produced it.
        </Empty>
        <ServiceLevels topic={topic.id} />
      </>
    )
  }
  const part = (which: 'key' | 'value') => {
    const promised = contract[which]
    if (!promised) return <span className="muted">anything</span>
    const subject = subjectText(name, which, promised.strategy ?? 'TOPIC_NAME')
    return promised.strategy === 'TOPIC_NAME' ? <Link to="/contracts" search={(old: Search) => ({ tenant: old.tenant, q: subject })}>{subject}</Link> : subject
  }
  const unframed = [contract.value?.unframed === 'JSON' && 'values', contract.key?.unframed === 'JSON' && 'keys'].filter(Boolean)
  return (
    <>
      <Section title="Promised" actions={<Button onClick={edit.show}>Change</Button>} note={doesText(contract.enforcement)}>
        <Facts items={[
          ['Enforcement', words(contract.enforcement)],
          ['Values', part('value')],
          ['Keys', part('key')],
          ['Without a schema id', unframed.length > 0 ? `${unframed.join(' and ')} are taken for JSON` : 'breaks the contract'],
          contract.dead_letter_topic !== undefined && ['Dead letters go to', <ObjectLink key="d" id={contract.dead_letter_topic} name={topicName(contract.dead_letter_topic)} />],
        ]} />
      </Section>
      <ServiceLevels topic={topic.id} />
      <Violations topic={topic.id} />
    </>
  )
}

const columns: readonly Column<TopicViolation>[] = [
  { key: 'what', label: 'What', cell: (v) => (v.rule ? <>rule <code>{v.rule}</code></> : words(v.violation)), sort: (v) => v.rule ?? v.violation },
  { key: 'part', label: 'Of the', cell: (v) => v.part.toLowerCase(), sort: (v) => v.part },
  { key: 'who', label: 'Producer', cell: (v) => <ObjectLink id={v.principal} name={v.principal_name} />, sort: (v) => v.principal_name ?? v.principal },
  { key: 'schema', label: 'Schema id', cell: (v) => v.schema_id ?? <span className="muted">none known</span>, sort: (v) => v.schema_id },
  { key: 'then', label: 'In force', cell: (v) => words(v.enforcement), sort: (v) => v.enforcement },
  { key: 'records', label: 'Records', align: 'right', cell: (v) => formatCount(v.records), sort: (v) => v.records },
  { key: 'last', label: 'Last', cell: (v) => <Age at={v.last_minute} />, sort: (v) => v.last_minute },
]

/** Counts alone come here; an example of each sort is at the agent, inside of the network. */
function Violations({ topic }: { topic: string }) {
  const query = useViolations(topic)
  return (
    <Section title="Kept in the last hour" note="Counted by the gateways. What a record held never leaves your network: an example of each sort is at the agent’s endpoint inside.">
      {query.isPending && <Skeleton lines={3} label="Reading what was judged" />}
      {query.error && <PartMissing what="What was judged" error={query.error} again={() => void query.refetch()} />}
      {query.data && <Judged told={query.data} />}
    </Section>
  )
}

function Judged({ told }: { told: TopicViolations }) {
  if (told.records === 0) return <p className="muted">Nothing was judged in the last hour.</p>
  return (
    <>
      <div className="figures">
        <div><span className="figure">{formatCount(told.records)}</span><span className="muted">records judged</span></div>
        <div><span className="figure">{formatCount(told.violating)}</span><span className="muted">broke the contract</span></div>
      </div>
      {told.violations.length > 0 && <Table caption="Violations" rows={told.violations} columns={columns} id={(v) => [v.principal, v.part, v.schema, v.violation, v.rule, v.enforcement].join('/')} still />}
      {told.truncated && <p className="muted">The 500 most frequent ones.</p>}
    </>
  )
}
