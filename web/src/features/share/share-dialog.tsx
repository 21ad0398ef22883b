// Sharing a topic: with whom, and Share. What is not chosen begins safe: tagged fields are hidden, nothing old is shown, it ends by itself.
import { useState } from 'react'
import { useAll } from '../../api/hooks.ts'
import type { Share, Topic } from '../../api/types.ts'
import { LinkButton } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import type { Texts } from '../../ui/form/fields.ts'
import { formatTime } from '../../ui/format.ts'
import { Skeleton } from '../../ui/states.tsx'
import { useToast } from '../../ui/toast.tsx'
import type { ContractField } from './contract-fields.ts'
import { newTopic, parsePrice, parseTopics, readTopics, topicsText } from './draft.ts'
import { useShareFields } from './forms.tsx'
import { NewInvitation } from './invitation.tsx'
import { useAllShares, useFields, useSharing } from './queries.ts'
import { keysText, nameFor, priceText, startText, stepText } from './share.ts'
import { SharingOff } from './switch.tsx'

interface ShareDialogProps {
  open: boolean
  /** None: it is asked for first. */
  topic?: Topic
  onClose: () => void
}

export function ShareDialog(props: ShareDialogProps) {
  return props.open ? <OpenShareDialog {...props} /> : null
}

function OpenShareDialog({ topic: given, onClose }: ShareDialogProps) {
  const [chosen, setChosen] = useState<Topic | undefined>(given)
  const sharing = useSharing()
  const shares = useAllShares()
  const fields = useFields(chosen)
  const title = chosen ? `Share ${chosen.spec.name}` : 'Share a topic'
  if (sharing.data?.gives === false) return <Dialog open title={title} stage="off" onClose={onClose}><div className="dialog-main"><SharingOff way="gives" /></div></Dialog>
  if (!chosen) return <Dialog open title={title} stage="topic" onClose={onClose}><ChooseTopic onChoose={setChosen} /></Dialog>
  if (sharing.isPending || shares.isPending || fields.isPending) return <Dialog open title={title} stage="reading" onClose={onClose}><div className="dialog-main"><Skeleton lines={4} label="Reading the topic’s contract" /></div></Dialog>
  return <ShareForm topic={chosen} fields={fields.data ?? []} unread={fields.error !== null} taken={new Set(shares.data?.map((s) => s.spec.name))} title={title} onClose={onClose} />
}

function ChooseTopic({ onChoose }: { onChoose: (topic: Topic) => void }) {
  const topics = useAll('/v1/topics')
  // A mount is another tenant's to share.
  const own = topics.data?.filter((t) => !t.status.mount)
  return (
    <div className="dialog-main">
      {topics.isPending && <Skeleton lines={2} label="Reading topics" />}
      {own?.length === 0 && <><p>There is no topic to share yet.</p><div><LinkButton to="/topics" search={{ do: 'create' }} icon="plus">Create a topic</LinkButton></div></>}
      {own && own.length > 0 && (
        <div className="field">
          <label htmlFor="share-topic">Topic</label>
          <select id="share-topic" data-autofocus value="" onChange={(event) => { const found = own.find((t) => t.id === event.target.value); if (found) onChoose(found) }}>
            <option value="">Choose…</option>
            {own.map((t) => <option key={t.id} value={t.id}>{t.spec.name}</option>)}
          </select>
          <p className="hint">More topics of its cluster can join it.</p>
        </div>
      )}
    </div>
  )
}

interface ShareFormProps {
  topic: Topic
  fields: readonly ContractField[]
  unread: boolean
  taken: ReadonlySet<string>
  title: string
  onClose: () => void
}

function ShareForm({ topic, fields: known, unread, taken, title, onClose }: ShareFormProps) {
  const { cluster } = topic.spec
  const say = useToast()
  const [name] = useState(() => nameFor(topic.spec.name, taken))
  const fields = useShareFields(cluster, name)
  return (
    <ChangeDialog<Share>
      open title={title} act="Share" fields={fields} initial={{ topics: topicsText([newTopic(topic.id, known)]) }}
      intro={unread && <p className="note warn">The topic’s contract could not be read: nothing is masked unless you say so.</p>}
      call={(body) => ({ method: 'post', path: '/v1/shares', body: { ...body, spec: { ...body.spec, cluster } } })}
      direct={(texts) => <Summary texts={texts} />}
      onClose={onClose} onDone={(share) => say(`${share.spec.name} is offered`)}
      after={(share, close) => share.invitation && <NewInvitation share={share} close={close} />}
    />
  )
}

/** What the button would do, while the form is filled in. */
function Summary({ texts }: { texts: Texts }) {
  const topics = parseTopics(texts['topics'] ?? '')
  const price = parsePrice(texts['price'] ?? '')
  const ends = texts['expires_at']
  const most = texts['fetch_bytes_per_second']?.trim()
  const aliases = readTopics(texts['topics'] ?? '')
  return (
    <div className="share-summary" role="status">
      {topics.ok && topics.value.map((topic, at) => (
        <p key={topic.topic}>{aliases.length > 1 && `Topic ${at + 1}: `}They see {[startText(topic.start), ...(topic.steps ?? []).map(stepText), keysText(topic.keys, topic.steps ?? [])].join('; ')}{(topic.steps ?? []).length === 0 && ', with all of its fields'}.</p>
      ))}
      <p>{price.ok && priceText(price.value) !== 'free' ? `It costs ${priceText(price.value)}` : 'It is free'}{most && `, gives at most ${most} a second`}{ends ? ` and ends on ${formatTime(ends, 'minute')}.` : ' and does not end by itself.'} You can revoke it at any time.</p>
    </div>
  )
}
