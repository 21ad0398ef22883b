// What a topic promises of its records, and how many broke it.
import { Link } from '@tanstack/react-router'
import type { Topic } from '../../api/types.ts'
import { useDialogInAddress, type Search } from '../../app/search.ts'
import { Button } from '../../ui/button.tsx'
import { Facts, Section } from '../../ui/facts.tsx'
import { words } from '../../ui/format.ts'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { Empty } from '../../ui/states.tsx'
import { doesText, subjectText } from './contract.ts'

export function TopicContract({ topic }: { topic: Topic }) {
  const edit = useDialogInAddress('edit')
  const topicName = useNames('/v1/topics')
  const { contract, name } = topic.spec
  if (!contract) {
    return (
      <Empty title="No contract" action={<Button onClick={edit.show}>Set a contract</Button>}>
        Any record is taken. With a contract the gateway judges each record by its schema and rules, whatever client produced it.
      </Empty>
    )
  }
  const part = (which: 'key' | 'value') => {
    const promised = contract[which]
    if (!promised) return <span className="muted">anything</span>
    const subject = subjectText(name, which, promised.strategy ?? 'TOPIC_NAME')
    return (
      <>
        {promised.strategy === 'TOPIC_NAME' ? <Link to="/contracts" search={(old: Search) => ({ tenant: old.tenant, q: subject })}>{subject}</Link> : subject}
        {promised.unframed === 'JSON' && <span className="muted">, also JSON without a schema id</span>}
      </>
    )
  }
  return (
    <Section title="Promised" actions={<Button onClick={edit.show}>Change</Button>} note={doesText(contract.enforcement)}>
      <Facts items={[
        ['Enforcement', words(contract.enforcement)],
        ['Values', part('value')],
        ['Keys', part('key')],
        contract.dead_letter_topic !== undefined && ['Dead letters go to', <ObjectLink key="d" id={contract.dead_letter_topic} name={topicName(contract.dead_letter_topic)} />],
      ]} />
    </Section>
  )
}
