// Who finds a topic in the catalog of other tenants, and as what; on the topic's page.
import type { Topic, TopicVisibility } from '../../api/types.ts'
import { useDialogInAddress } from '../../app/search.ts'
import { Button, LinkButton } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Facts, Section } from '../../ui/facts.tsx'
import { PartMissing, Skeleton } from '../../ui/states.tsx'
import { useToast } from '../../ui/toast.tsx'
import { useTenantName, useVisibilityFields } from './forms.tsx'
import { FieldTable } from './preview.tsx'
import { useRequests, useSharing, useVisibility } from './queries.ts'
import { priceText, visibilityText } from './share.ts'
import { SharingOff } from './switch.tsx'

export function Visibility({ topic }: { topic: Topic }) {
  const query = useVisibility(topic.id)
  const dialog = useDialogInAddress('list')
  const gives = useSharing().data?.gives !== false
  const waiting = useRequests({ direction: 'received', phase: 'PENDING' }).rows?.filter((r) => r.status.topic === topic.id).length ?? 0
  const listed = query.data !== undefined && query.data.spec.visibility !== 'PRIVATE'
  return (
    <Section title="In the catalog of others" actions={query.data && (gives || listed) && <Button onClick={dialog.show}>{listed ? 'Change…' : 'List it…'}</Button>}>
      {query.isPending && <Skeleton lines={2} label="Reading who finds it" />}
      {query.error && <PartMissing what="Who finds it" error={query.error} again={() => void query.refetch()} />}
      {query.data && <Listed visibility={query.data} />}
      {query.data && !gives && <SharingOff way="gives" />}
      {waiting > 0 && <div className="actions"><LinkButton to="/shares" search={{ tab: 'requests' }}>{waiting === 1 ? 'One request waits' : `${waiting} requests wait`} for your answer</LinkButton></div>}
      {query.data && dialog.open && <ListDialog topic={topic} visibility={query.data} close={dialog.close} />}
    </Section>
  )
}

function Listed({ visibility }: { visibility: TopicVisibility }) {
  const { spec, fields } = visibility
  const tenantName = useTenantName()
  if (spec.visibility === 'PRIVATE') return <p className="muted">{visibilityText(spec.visibility)}. Listed, other tenants find its name, description and fields, and can ask to read it; nothing is shown before you approve.</p>
  return (
    <>
      <Facts items={[
        ['Found by', spec.visibility === 'LISTED' ? (spec.tenants ?? []).map(tenantName).join(', ') : visibilityText(spec.visibility)],
        ['Called', spec.name],
        !!spec.description && ['Described as', spec.description],
        ['Price', priceText(spec.price)],
      ]} />
      {fields && fields.length > 0 && <details><summary>What they are shown of its fields</summary><FieldTable name={spec.name ?? ''} fields={fields} /></details>}
      {!fields && <p className="note warn">They are shown no fields: what its contract tags cannot be redacted by itself. An approval has to say how.</p>}
    </>
  )
}

function ListDialog({ topic, visibility, close }: { topic: Topic; visibility: TopicVisibility; close: () => void }) {
  const fields = useVisibilityFields(topic, visibility.spec)
  const say = useToast()
  return (
    <ChangeDialog<TopicVisibility>
      open title={`Who finds ${topic.spec.name}`} act="Save" fields={fields}
      intro={<p className="note">Others see what stands here, the fields with what the contract tags redacted, and how its promises are kept. Neither the topic’s own name nor that of its cluster.</p>}
      call={({ spec }) => ({ method: 'put', path: '/v1/topics/{id}/visibility', id: topic.id, body: spec, generation: visibility.metadata.generation })} onClose={close} onDone={() => say('Who finds it was changed')}
    />
  )
}
