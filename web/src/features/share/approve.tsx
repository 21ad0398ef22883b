// Approving a request with another mask than the one that it would get by itself, which the form begins with.
import { useObject } from '../../api/hooks.ts'
import type { AccessRequest, Topic, TopicVisibility } from '../../api/types.ts'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Failure, Skeleton } from '../../ui/states.tsx'
import { newTopic, topicsText } from './draft.ts'
import { approvalOf, useApprovalFields } from './forms.tsx'
import { useVisibility } from './queries.ts'

interface Props {
  request: AccessRequest
  onClose: () => void
  onDone: () => void
}

export function ApproveWithMask({ request, onClose, onDone }: Props) {
  const topic = useObject('/v1/topics', request.status.topic)
  const seen = useVisibility(request.status.topic ?? '')
  const failed = topic.error ?? seen.error
  if (topic.data && seen.data) return <Form request={request} topic={topic.data} fields={seen.data.fields} onClose={onClose} onDone={onDone} />
  return <Dialog open title="Approve with a mask" stage="reading" onClose={onClose}><div className="dialog-main">{failed ? <Failure error={failed} /> : <Skeleton lines={4} label="Reading what the topic’s contract tags" />}</div></Dialog>
}

function Form({ request, topic, fields: shown, onClose, onDone }: Props & { topic: Topic; fields: TopicVisibility['fields'] }) {
  const fields = useApprovalFields(topic)
  const known = (shown ?? []).map(({ path, type, masked }) => ({ path, type, tags: masked ? ['tagged'] : [] }))
  return (
    <ChangeDialog<AccessRequest>
      open title={`Approve ${request.status.product_name} for ${request.status.tenant_name}`} act="Approve" fields={fields} initial={{ topics: topicsText([newTopic(topic.id, known)]) }}
      intro={shown ? undefined : <p className="note warn">What the contract tags cannot be redacted by itself: nothing is masked unless you say so.</p>}
      call={({ spec }) => ({ method: 'post', path: '/v1/access-requests/{id}/approve', id: request.id, body: approvalOf(spec) })} onClose={onClose} onDone={onDone}
    />
  )
}
