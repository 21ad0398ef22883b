// Shares: given and received in one register, and the page of one that is given.
import { useParams } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Share, SharedTopic } from '../../api/types.ts'
import { kindNamed } from '../../app/kinds.ts'
import { useDialogInAddress } from '../../app/search.ts'
import { ActDialog } from '../../ui/act-dialog.tsx'
import { Button } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Crumb, Crumbs } from '../../ui/crumbs.tsx'
import { Facts, Section, Tabs } from '../../ui/facts.tsx'
import { formatBytes, formatCount } from '../../ui/format.ts'
import { Labels } from '../../ui/labels.tsx'
import { PageHead } from '../../ui/list-page.tsx'
import type { MenuItem } from '../../ui/menu.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { ObjectPage } from '../../ui/object-page.tsx'
import { Age, Moment } from '../../ui/status.tsx'
import { useToast } from '../../ui/toast.tsx'
import { endFields, useShareEditFields, useTenantName } from './forms.tsx'
import { NewInvitation } from './invitation.tsx'
import { useShare } from './queries.ts'
import { Requests } from './requests.tsx'
import { ShareDialog } from './share-dialog.tsx'
import { GivenTable, ReceivedTable } from './share-tables.tsx'
import { SharedLevels } from './shared-levels.tsx'
import { canResend, enforcedText, isActive, isOpen, keysText, priceText, recipientText, startText, stepText } from './share.ts'

const KIND = kindNamed('Share')!

export function SharesPage() {
  const create = useDialogInAddress('create')
  const button = <Button tone="primary" icon="share" onClick={create.show}>Share a topic</Button>
  return (
    <>
      <PageHead title="Sharing" intro="Topics that one tenant lets another read, with its own keys and clients. Nothing is copied; who shares can hide fields, and end it at any time." actions={button} />
      <Tabs label="Direction" tabs={[
        { key: 'given', label: 'Given', content: () => <GivenTable action={button} /> },
        { key: 'received', label: 'Received', content: () => <ReceivedTable /> },
        { key: 'requests', label: 'Requests', content: () => <Requests /> },
      ]} />
      <ShareDialog open={create.open} onClose={create.close} />
    </>
  )
}

export function SharePage() {
  const { id } = useParams({ strict: false })
  const query = useShare(id)
  const fields = useShareEditFields(query.data)
  const revoke = useDialogInAddress('revoke')
  const extend = useDialogInAddress('extend')
  const resend = useDialogInAddress('resend')
  const open = query.data !== undefined && isOpen(query.data)
  const ended = query.data !== undefined && !isOpen(query.data)
  const menu = (share: Share): MenuItem[] => [
    ...(open ? [{ label: 'Move the end…', onSelect: extend.show }] : []),
    ...(open && canResend(share) ? [{ label: 'Offer anew…', onSelect: resend.show }] : []),
    ...(open ? [{ label: 'Revoke share…', danger: true, icon: 'close' as const, onSelect: revoke.show }] : []),
  ]
  return (
    <ObjectPage
      kind={KIND} query={query} fields={open ? fields : undefined} menu={menu}
      deletes={ended ? 'The share goes from the register. What was read is still in the reports.' : undefined}
      crumbs={() => <Crumbs><Crumb to="/shares">Sharing</Crumb></Crumbs>}
      actions={() => ended && <Button onClick={resend.show}>Offer anew…</Button>}
    >
      {(share) => (
        <>
          <div className="wish-and-truth">
            <Offer share={share} />
            <Truth share={share} />
          </div>
          <Topics share={share} />
          {open && <SharedLevels id={share.id} received={false} />}
          {share.spec.terms && <Section title="Terms"><p className="share-terms">{share.spec.terms}</p></Section>}
          <EndDialogs share={share} extend={extend} resend={resend} />
          <ActDialog open={revoke.open} title={`Revoke ${share.spec.name}`} act="Revoke share" danger typed={share.spec.name} call={{ method: 'post', path: '/v1/shares/{id}/revoke', id: share.id, body: {} }} onClose={revoke.close} onDone={() => undefined}>
            <p className="warning">{isActive(share) ? 'The recipient’s clients are refused within a second of the gateways’ hearing of it, and its topics go.' : 'The offer is withdrawn; an invitation that was handed on is void.'} The share can be offered anew later.</p>
          </ActDialog>
        </>
      )}
    </ObjectPage>
  )
}

type InAddress = ReturnType<typeof useDialogInAddress>

function EndDialogs({ share, extend, resend }: { share: Share; extend: InAddress; resend: InAddress }) {
  const say = useToast()
  return (
    <>
      <ChangeDialog<Share>
        open={extend.open} title={`Move the end of ${share.spec.name}`} act="Move the end" fields={endFields(true, share.spec.expires_at)}
        call={({ spec }) => ({ method: 'post', path: '/v1/shares/{id}/extend', id: share.id, body: spec })} onClose={extend.close} onDone={() => say('The end was moved')}
      />
      <ChangeDialog<Share>
        open={resend.open} title={`Offer ${share.spec.name} anew`} act="Offer anew" fields={endFields(false, share.spec.expires_at)}
        intro={share.spec.recipient.kind !== 'TENANT' && <p className="note">There is a new invitation, shown once; earlier ones are void.</p>}
        call={({ spec }) => ({ method: 'post', path: '/v1/shares/{id}/resend', id: share.id, body: spec })} onClose={resend.close} onDone={() => say(`${share.spec.name} is offered anew`)}
        after={(offered, close) => offered.invitation && <NewInvitation share={offered} close={close} />}
      />
    </>
  )
}

function Offer({ share }: { share: Share }) {
  const { spec, metadata } = share
  const tenantName = useTenantName()
  const clusterName = useNames('/v1/clusters')
  return (
    <Section title="Offered">
      <Facts items={[
        ['With', <span key="w" title={spec.recipient.kind === 'TENANT' ? spec.recipient.tenant : undefined}>{recipientText(spec.recipient, tenantName)}</span>],
        ['Cluster', <ObjectLink key="c" id={spec.cluster} name={clusterName(spec.cluster)} />],
        ['Price', priceText(spec.price)],
        ['Read per second at most', spec.fetch_bytes_per_second ? formatBytes(spec.fetch_bytes_per_second) : 'no bound of its own'],
        !!spec.starts_at && ['Begins', <Moment key="b" at={spec.starts_at} />],
        ['Ends', spec.expires_at ? <Moment key="e" at={spec.expires_at} /> : 'does not end by itself'],
        spec.description ? ['Description', spec.description] : false,
        ['Labels', <Labels key="l" labels={metadata.labels} />],
      ]} />
    </Section>
  )
}

function Truth({ share }: { share: Share }) {
  const { status, spec } = share
  const tenantName = useTenantName()
  const taken: readonly [string, ReactNode][] = status.recipient_tenant
    ? [['Taken by', <span key="t" title={status.recipient_tenant}>{status.recipient_name ?? tenantName(status.recipient_tenant)}</span>]]
    : []
  return (
    <Section title="So far">
      <p className="sentence">{sentence(share)}</p>
      <Facts items={[
        ...taken,
        !!status.invitation_expires_at && ['Invitation until', <Moment key="i" at={status.invitation_expires_at} />],
        !!status.decided_at && ['Decided', <Age key="d" at={status.decided_at} />],
        spec.terms ? ['Terms agreed to', status.terms_accepted_at ? <Moment key="a" at={status.terms_accepted_at} /> : 'not yet'] : false,
        ['Topics there', formatCount(status.mounts)],
        ['Last read', <Age key="l" at={status.last_read_at} />],
        ['Read in 30 days', `${formatBytes(status.read_bytes)}, ${formatCount(status.read_records)} records`],
      ]} />
    </Section>
  )
}

function sentence({ status }: Share): string {
  const how = enforcedText(status.phase, status.enforced)
  switch (status.phase) {
    case 'INVITED': return `Offered and not looked at yet; ${how}.`
    case 'PREVIEWED': return `Looked at and not decided yet; ${how}.`
    case 'ACTIVE': return `Accepted; ${how}.`
    case 'DECLINED': return 'Declined: nothing is shown.'
    case 'LEFT': return `The recipient left; ${how}.`
    case 'REVOKED': return `Revoked; ${how}.`
    case 'EXPIRED': return `It ran out; ${how}.`
    default: return `${how.charAt(0).toUpperCase()}${how.slice(1)}.`
  }
}

function Topics({ share }: { share: Share }) {
  const topicName = useNames('/v1/topics')
  return (
    <Section title="What they see">
      <ul className="share-topics">
        {share.spec.topics.map((shared) => <SharedTopicItem key={shared.topic} shared={shared} name={topicName(shared.topic)} />)}
      </ul>
    </Section>
  )
}

function SharedTopicItem({ shared, name }: { shared: SharedTopic; name: string | undefined }) {
  const steps = shared.steps ?? []
  return (
    <li>
      <strong><ObjectLink id={shared.topic} name={name} /></strong>
      {shared.alias && shared.alias !== name && <> as <code>{shared.alias}</code></>}
      <ul>
        <li>{startText(shared.start)}</li>
        {steps.map((step, at) => <li key={at}>{stepText(step)}</li>)}
        {steps.length === 0 && <li>all fields, as they are</li>}
        <li>{keysText(shared.keys, steps)}</li>
        {shared.encryption && <li>values encrypted at rest, under keys of both sides</li>}
        {shared.contract_version !== undefined && <li>relies on version {shared.contract_version} of its contract</li>}
      </ul>
    </li>
  )
}
