// A share that is received: what it would show, accepting or declining it, and the topics that show it.
import { useParams } from '@tanstack/react-router'
import type { ReceivedShare } from '../../api/types.ts'
import { kindNamed } from '../../app/kinds.ts'
import { useDialogInAddress } from '../../app/search.ts'
import { ActDialog } from '../../ui/act-dialog.tsx'
import { Button } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Crumb, Crumbs } from '../../ui/crumbs.tsx'
import { Facts, Section } from '../../ui/facts.tsx'
import { formatBytes, formatCount } from '../../ui/format.ts'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { ObjectPage } from '../../ui/object-page.tsx'
import { PartMissing, Skeleton } from '../../ui/states.tsx'
import { Age, Moment, Phase } from '../../ui/status.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { useToast } from '../../ui/toast.tsx'
import { useAcceptFields } from './forms.tsx'
import { PreviewTopics, Terms } from './preview.tsx'
import { useReceivedShare, useSharePreview, useSharing } from './queries.ts'
import { SharedLevels } from './shared-levels.tsx'
import { enforcedText, isActive, isOpen, priceText } from './share.ts'
import { SharingOff } from './switch.tsx'

const KIND = kindNamed('ReceivedShare')!

export function ReceivedSharePage() {
  const { id } = useParams({ strict: false })
  const query = useReceivedShare(id)
  const accept = useDialogInAddress('accept')
  const decline = useDialogInAddress('decline')
  const leave = useDialogInAddress('leave')
  const offered = query.data !== undefined && isOpen(query.data) && !isActive(query.data)
  const receives = useSharing(offered).data?.receives !== false
  const preview = useSharePreview(id ?? '', query.data !== undefined && isOpen(query.data) && receives)
  return (
    <ObjectPage
      kind={KIND} query={query}
      crumbs={() => <Crumbs><Crumb to="/shares" tab="received">Sharing</Crumb></Crumbs>}
      actions={(share) => (
        <>
          {offered && receives && <Button tone="primary" onClick={accept.show}>Accept…</Button>}
          {offered && <Button onClick={decline.show}>Decline…</Button>}
          {isActive(share) && <Button onClick={leave.show}>Leave…</Button>}
        </>
      )}
    >
      {(share) => (
        <>
          {offered && !receives && <SharingOff way="receives" />}
          <ShareFacts share={share} />
          {share.status.mounts.length > 0 && <Mounts share={share} />}
          {isOpen(share) && <SharedLevels id={share.id} received />}
          <Terms text={share.spec.terms} />
          {isOpen(share) && receives && <Preview query={preview} />}
          <Accept share={share} dialog={accept} />
          <ActDialog open={decline.open} title={`Decline ${share.spec.name}`} act="Decline" call={{ method: 'post', path: '/v1/received-shares/{id}/decline', id: share.id, body: {} }} onClose={decline.close} onDone={() => undefined}>
            <p>The provider is told. They can offer it anew.</p>
          </ActDialog>
          <ActDialog open={leave.open} title={`Leave ${share.spec.name}`} act="Leave share" danger typed={share.spec.name} call={{ method: 'post', path: '/v1/received-shares/{id}/leave', id: share.id, body: {} }} onClose={leave.close} onDone={() => undefined}>
            <p className="warning">Your topics that show it go, and whoever reads them is refused. The provider’s records stay as they are.</p>
          </ActDialog>
        </>
      )}
    </ObjectPage>
  )
}

function ShareFacts({ share }: { share: ReceivedShare }) {
  const { spec, status } = share
  return (
    <Section title="Offered to you" note={spec.description || undefined}>
      <p className="sentence">{sentence(share)}</p>
      <Facts items={[
        ['From', <span key="f" title={status.provider_tenant}>{status.provider_name}</span>],
        ['Price', priceText(spec.price)],
        ['Read per second at most', spec.fetch_bytes_per_second ? formatBytes(spec.fetch_bytes_per_second) : 'no bound of its own'],
        !!spec.starts_at && ['Begins', <Moment key="b" at={spec.starts_at} />],
        ['Ends', spec.expires_at ? <Moment key="e" at={spec.expires_at} /> : 'does not end by itself'],
        !!status.terms_accepted_at && ['Terms agreed to', <Moment key="t" at={status.terms_accepted_at} />],
        !!status.decided_at && ['Decided', <Age key="d" at={status.decided_at} />],
        ['Last read', <Age key="l" at={status.last_read_at} />],
        ['Read in 30 days', `${formatBytes(status.read_bytes)}, ${formatCount(status.read_records)} records`],
      ]} />
    </Section>
  )
}

function sentence({ status }: ReceivedShare): string {
  const how = enforcedText(status.phase, status.enforced)
  switch (status.phase) {
    case 'INVITED':
    case 'PREVIEWED': return `Waits for your decision; ${how}.`
    case 'ACTIVE': return `Accepted; ${how}.`
    case 'DECLINED': return 'You declined it.'
    case 'LEFT': return `You left; ${how}.`
    case 'REVOKED': return `The provider ended it; ${how}.`
    case 'EXPIRED': return `It ran out; ${how}.`
    default: return `${how.charAt(0).toUpperCase()}${how.slice(1)}.`
  }
}

type Mount = ReceivedShare['status']['mounts'][number]

function Mounts({ share }: { share: ReceivedShare }) {
  const clusterName = useNames('/v1/clusters')
  const columns: readonly Column<Mount>[] = [
    { key: 'name', label: 'Topic', cell: (m) => <ObjectLink id={m.topic} name={m.name} />, sort: (m) => m.name },
    { key: 'phase', label: 'Phase', cell: (m) => <Phase phase={m.phase} title={m.message} />, sort: (m) => m.phase },
    { key: 'alias', label: 'Of theirs', cell: (m) => <code>{m.alias}</code>, sort: (m) => m.alias },
    { key: 'cluster', label: 'Cluster', cell: (m) => <ObjectLink id={m.cluster} name={clusterName(m.cluster)} />, sort: (m) => clusterName(m.cluster) },
    { key: 'message', label: 'Why', cell: (m) => m.message ?? '' },
  ]
  const told = share.status.mounts.some((m) => m.message)
  return (
    <Section title="Your topics" note="Topics like others to clients, keys and jobs: give service accounts roles on them. They go with the share.">
      <Table caption="Topics that show the share" rows={share.status.mounts} columns={told ? columns : columns.filter((c) => c.key !== 'message')} id={(m) => m.topic} still />
    </Section>
  )
}

function Preview({ query }: { query: ReturnType<typeof useSharePreview> }) {
  if (query.isPending) return <Skeleton lines={4} label="Reading what you would see" />
  if (!query.data) return <PartMissing what="What you would see" error={query.error} again={() => void query.refetch()} />
  return <PreviewTopics preview={query.data} />
}

function Accept({ share, dialog }: { share: ReceivedShare; dialog: ReturnType<typeof useDialogInAddress> }) {
  const fields = useAcceptFields(share)
  const say = useToast()
  return (
    <ChangeDialog<ReceivedShare>
      open={dialog.open} title={`Accept ${share.spec.name}`} act="Accept" fields={fields}
      intro={<p className="note">{acceptText(share)}</p>}
      call={({ spec }) => ({ method: 'post', path: '/v1/received-shares/{id}/accept', id: share.id, body: spec })}
      onClose={dialog.close} onDone={() => say(`${share.spec.name} was accepted`)}
    />
  )
}

function acceptText({ spec }: ReceivedShare): string {
  const price = priceText(spec.price)
  return `Its topics appear in your cluster, to be read with your own keys. ${price === 'free' ? 'It is free' : `It costs ${price}`}; what is read counts as your usage. You can leave at any time.`
}
