// Shares as rows: given, received, and those of one topic.
import type { ReactNode } from 'react'
import type { ReceivedShare, Share, Topic } from '../../api/types.ts'
import { Button } from '../../ui/button.tsx'
import { Section } from '../../ui/facts.tsx'
import { formatBytes } from '../../ui/format.ts'
import { Collection } from '../../ui/list-page.tsx'
import { ObjectLink } from '../../ui/object-link.tsx'
import { Age, Moment, Phase } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { useTenantName } from './forms.tsx'
import { useReceivedShares, useShares, useSharing } from './queries.ts'
import { isActive, recipientText } from './share.ts'
import { SharingOff } from './switch.tsx'
import { Visibility } from './visibility.tsx'

function useGivenColumns(): readonly Column<Share>[] {
  const tenantName = useTenantName()
  const to = (s: Share) => s.status.recipient_name ?? (s.status.recipient_tenant ? tenantName(s.status.recipient_tenant) : recipientText(s.spec.recipient, tenantName))
  return [
    { key: 'name', label: 'Share', cell: (s) => <ObjectLink id={s.id} name={s.spec.name} />, sort: (s) => s.spec.name },
    { key: 'phase', label: 'Phase', cell: (s) => <SharePhase phase={s.status.phase} enforced={s.status.enforced} />, sort: (s) => s.status.phase },
    { key: 'to', label: 'With', cell: (s) => <span title={s.status.recipient_tenant ?? undefined}>{to(s)}</span>, sort: to },
    { key: 'topics', label: 'Topics', align: 'right', cell: (s) => s.spec.topics.length, sort: (s) => s.spec.topics.length },
    { key: 'last', label: 'Last read', cell: (s) => <Age at={s.status.last_read_at} />, sort: (s) => s.status.last_read_at ?? '' },
    { key: 'volume', label: 'Read in 30 days', align: 'right', cell: (s) => formatBytes(s.status.read_bytes), sort: (s) => s.status.read_bytes },
    { key: 'ends', label: 'Ends', cell: (s) => <Ends at={s.spec.expires_at} />, sort: (s) => s.spec.expires_at ?? '9' },
  ]
}

function receivedColumns(): readonly Column<ReceivedShare>[] {
  const from = (s: ReceivedShare) => s.status.provider_name
  return [
    { key: 'name', label: 'Share', cell: (s) => <ObjectLink id={s.id} name={s.spec.name} />, sort: (s) => s.spec.name },
    { key: 'phase', label: 'Phase', cell: (s) => <SharePhase phase={s.status.phase} enforced={s.status.enforced} />, sort: (s) => s.status.phase },
    { key: 'from', label: 'From', cell: (s) => <span title={s.status.provider_tenant}>{from(s)}</span>, sort: from },
    { key: 'topics', label: 'Topics', cell: (s) => s.spec.topics.map((t) => t.alias).join(', ') },
    { key: 'last', label: 'Last read', cell: (s) => <Age at={s.status.last_read_at} />, sort: (s) => s.status.last_read_at ?? '' },
    { key: 'volume', label: 'Read in 30 days', align: 'right', cell: (s) => formatBytes(s.status.read_bytes), sort: (s) => s.status.read_bytes },
    { key: 'ends', label: 'Ends', cell: (s) => <Ends at={s.spec.expires_at} />, sort: (s) => s.spec.expires_at ?? '9' },
  ]
}

const Ends = ({ at }: { at: string | undefined | null }) => (at ? <Moment at={at} precision="minute" /> : <span className="muted">does not</span>)

/** Decided is not yet obeyed: said apart. */
function SharePhase({ phase, enforced }: { phase: string; enforced: boolean }) {
  const lags = !enforced && isActive({ status: { phase } })
  return <><Phase phase={phase} />{lags && <span className="muted" title="Not every live gateway obeys yet"> being applied</span>}</>
}

export function GivenTable({ action }: { action: ReactNode }) {
  const list = useShares()
  const columns = useGivenColumns()
  const sharing = useSharing()
  if (sharing.data?.gives === false && list.rows?.length === 0) return <SharingOff way="gives" />
  return (
    <Collection
      list={list} caption="Shares given" noun={['share', 'shares']} columns={columns} text={(s) => `${s.spec.name} ${s.id} ${s.spec.description ?? ''} ${JSON.stringify(s.spec.recipient)}`}
      empty={{ title: 'Nothing shared yet', text: 'Let another tenant read a topic with its own keys and clients. Nothing is copied, fields can be masked, and you can revoke it at any time.', action }}
    />
  )
}

export function ReceivedTable() {
  const list = useReceivedShares()
  const columns = receivedColumns()
  const sharing = useSharing()
  if (sharing.data?.receives === false && list.rows?.length === 0) return <SharingOff way="receives" />
  return (
    <Collection
      list={list} caption="Shares received" noun={['share', 'shares']} columns={columns} text={(s) => `${s.spec.name} ${s.id} ${s.spec.topics.map((t) => t.alias).join(' ')}`}
      empty={{ title: 'Nothing received yet', text: 'What another tenant offers yours appears here, to be looked at and accepted. Give them the id of your tenant, or open the link that they handed you.' }}
    />
  )
}

/** With whom one topic is shared, on its page. */
export function SharesOfTopic({ topic, share }: { topic: Topic; share: () => void }) {
  const list = useShares({ topic: topic.id })
  const columns = useGivenColumns()
  const button = <Button icon="share" onClick={share}>Share</Button>
  return (
    <>
      <Visibility topic={topic} />
      <Section title="Shared with" actions={(list.rows?.length ?? 0) > 0 && button}>
        <Collection
          list={list} caption={`Shares of ${topic.spec.name}`} noun={['share', 'shares']} columns={columns.filter((c) => c.key !== 'topics')} text={(s) => `${s.spec.name} ${s.id}`}
          empty={{ title: 'Shared with nobody', text: 'Another tenant can read this topic with its own keys and clients, once you share it.', action: button }}
        />
      </Section>
    </>
  )
}
