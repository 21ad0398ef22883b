// Grants: places on brokers lent to other tenants, and places received.
import { useParams } from '@tanstack/react-router'
import { useAddress, useDialogInAddress } from '../../app/search.ts'
import type { DataPlaneGrant } from '../../api/types.ts'
import { kindNamed, shortId } from '../../app/kinds.ts'
import { useTenantInView } from '../../app/tenant.tsx'
import { ActDialog } from '../../ui/act-dialog.tsx'
import { Button } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Copyable } from '../../ui/copyable.tsx'
import { Crumb, Crumbs } from '../../ui/crumbs.tsx'
import { Facts, Tabs } from '../../ui/facts.tsx'
import { formatCount } from '../../ui/format.ts'
import { PageHead } from '../../ui/list-page.tsx'
import { ObjectPage } from '../../ui/object-page.tsx'
import { Moment } from '../../ui/status.tsx'
import { useGrantFields } from './forms.ts'
import { GrantTable } from './grant-table.tsx'
import { useGrant, useGrants } from './queries.ts'

const KIND = kindNamed('DataPlaneGrant')!

export function GrantsPage() {
  const create = useDialogInAddress('create')
  const { tab } = useAddress()
  const fields = useGrantFields()
  const button = <Button tone="primary" icon="plus" onClick={create.show}>Offer a place</Button>
  return (
    <>
      <PageHead title="Grants" intro="A place on one tenant’s brokers, lent to another within limits. Guests trust the owner of the hosts." actions={tab === 'offered' && button} />
      <Tabs label="Direction" tabs={[
        { key: 'received', label: 'Received', content: () => <Received /> },
        { key: 'offered', label: 'Offered', content: () => <Offered button={button} /> },
      ]} />
      <ChangeDialog
        open={create.open} title="Offer a place on your brokers" act="Offer the place" fields={fields}
        call={() => ({ method: 'post', path: '/v1/data-plane-grants' })} onClose={create.close} onDone={() => undefined}
      />
    </>
  )
}

const Received = () => <GrantTable list={useGrants('received')} direction="received" />
const Offered = ({ button }: { button: React.ReactNode }) => <GrantTable list={useGrants('offered')} direction="offered" action={button} />

export function GrantPage() {
  const { id } = useParams({ strict: false })
  const me = useTenantInView()
  const query = useGrant(id)
  const fields = useGrantFields()
  const owner = query.data?.status.owner_tenant === me
  const phase = query.data?.status.phase
  const revoke = useDialogInAddress('revoke')
  const accept = useDialogInAddress('accept')
  const decline = useDialogInAddress('decline')
  return (
    <ObjectPage
      kind={KIND} query={query} fields={owner ? fields : undefined} title={(g) => shortId(g.id)}
      crumbs={() => <Crumbs><Crumb to="/grants">Grants</Crumb></Crumbs>}
      actions={() => !owner && phase === 'OFFERED' && (
        <>
          <Button tone="primary" onClick={accept.show}>Accept…</Button>
          <Button onClick={decline.show}>Decline…</Button>
        </>
      )}
      menu={() => owner && (phase === 'OFFERED' || phase === 'ACTIVE') ? [{ label: 'Revoke grant…', danger: true, icon: 'close', onSelect: revoke.show }] : []}
    >
      {(grant) => (
        <>
          <GrantFacts grant={grant} />
          <ActDialog open={accept.open} title="Accept the place" act="Accept" call={{ method: 'post', path: '/v1/data-plane-grants/{id}/accept', id: grant.id }} onClose={accept.close} onDone={() => undefined}>
            <p>Your clusters there run on machines of the owner, who could read what is stored on them. Accept only from whom you trust.</p>
          </ActDialog>
          <ActDialog open={decline.open} title="Decline the place" act="Decline" call={{ method: 'post', path: '/v1/data-plane-grants/{id}/decline', id: grant.id }} onClose={decline.close} onDone={() => undefined} />
          <ActDialog open={revoke.open} title="Revoke the grant" act="Revoke" danger call={{ method: 'post', path: '/v1/data-plane-grants/{id}/revoke', id: grant.id }} onClose={revoke.close} onDone={() => undefined}>
            <p className="warning">The guest can make nothing new there. What is there stays until they remove it.</p>
          </ActDialog>
        </>
      )}
    </ObjectPage>
  )
}

function GrantFacts({ grant }: { grant: DataPlaneGrant }) {
  const { spec, status, metadata } = grant
  return (
    <Facts items={[
      ['From', status.owner_tenant ? <Copyable key="o" text={status.owner_tenant} label="Copy owner id" /> : 'unknown'],
      ['To', <Copyable key="g" text={spec.guest_tenant} label="Copy guest id" />],
      ['Broker pool', <Copyable key="b" text={spec.broker_pool} label="Copy broker pool id" />],
      ['Clusters at most', formatCount(spec.clusters_max)],
      ['Compute units at most', formatCount(spec.compute_units_max ?? 0)],
      ['Topics at most', formatCount(spec.topics_max)],
      ['Partitions at most', formatCount(spec.partitions_max)],
      ['Offered', <Moment key="m" at={metadata.created_at} />],
    ]} />
  )
}
