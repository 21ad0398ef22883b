// A data product of another tenant: what one would read, and asking for it.
import { useParams } from '@tanstack/react-router'
import type { AccessRequest, DataProduct } from '../../api/types.ts'
import { useAll } from '../../api/hooks.ts'
import { kindNamed } from '../../app/kinds.ts'
import { useDialogInAddress } from '../../app/search.ts'
import { Button, LinkButton } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Crumb, Crumbs } from '../../ui/crumbs.tsx'
import { Facts, Section } from '../../ui/facts.tsx'
import type { Field } from '../../ui/form/fields.ts'
import { ObjectPage } from '../../ui/object-page.tsx'
import { Age } from '../../ui/status.tsx'
import { useToast } from '../../ui/toast.tsx'
import { LevelList } from '../service_level/levels.tsx'
import { FieldTable } from './preview.tsx'
import { useProduct, useSharing } from './queries.ts'
import { priceText, standingText } from './share.ts'
import { SharingOff } from './switch.tsx'

const KIND = kindNamed('DataProduct')!

export function ProductPage() {
  const { id } = useParams({ strict: false })
  const query = useProduct(id)
  const ask = useDialogInAddress('request')
  const receives = useSharing().data?.receives !== false
  return (
    <ObjectPage
      kind={KIND} query={query} title={(p) => p.spec.name} crumbs={() => <Crumbs><Crumb to="/contracts" tab="others">From others</Crumb></Crumbs>}
      actions={({ status }) => {
        if (status.received_share) return <LinkButton to="/received-shares/$id" params={{ id: status.received_share }}>See the share</LinkButton>
        if (status.access_request) return <LinkButton to="/shares" search={{ tab: 'requests' }}>See the request</LinkButton>
        return receives && <Button tone="primary" onClick={ask.show}>Request access…</Button>
      }}
    >
      {(product) => (
        <>
          {!receives && <SharingOff way="receives" />}
          <About product={product} />
          <Section title="What you would read" note="Fields that are redacted here are marked as sensitive by its contract. Who approves may show more of them, or less.">
            {(product.status.fields?.length ?? 0) > 0 ? <FieldTable name={product.spec.name} fields={product.status.fields ?? []} /> : <p className="muted">No contract names its fields.</p>}
          </Section>
          {(product.status.service_levels?.length ?? 0) > 0 && <Section title="Service levels" note="Promised by its contract, and measured at its provider."><LevelList levels={product.status.service_levels ?? []} /></Section>}
          <Ask product={product} dialog={ask} />
        </>
      )}
    </ObjectPage>
  )
}

function About({ product }: { product: DataProduct }) {
  const { spec, status, metadata } = product
  const standing = standingText(product)
  return (
    <Section title="About">
      {spec.description && <p className="share-terms">{spec.description}</p>}
      <Facts items={[
        ['From', status.provider_name],
        ['Price', priceText(spec.price)],
        standing !== '' && ['For you', standing],
        ['Could be shown in', status.clusters?.length ? `${status.clusters.length === 1 ? 'one' : status.clusters.length} of your clusters` : 'none of your clusters: they are not on its broker pool'],
        ['Changed', <Age key="c" at={metadata.updated_at} />],
      ]} />
    </Section>
  )
}

function Ask({ product, dialog }: { product: DataProduct; dialog: ReturnType<typeof useDialogInAddress> }) {
  const clusters = useAll('/v1/clusters').data?.filter((c) => product.status.clusters?.includes(c.id)) ?? []
  const say = useToast()
  const fields: Field[] = [
    { name: 'reason', label: 'Reason', kind: 'textarea', required: true, hint: 'What you want to do with it. Whoever decides reads it.' },
    ...(clusters.length > 0 ? [{ name: 'cluster', label: 'Cluster', kind: 'select' as const, options: clusters.map((c) => ({ value: c.id, label: c.spec.name })), hint: 'Where you would show it; it can be chosen later, too.' }] : []),
  ]
  return (
    <ChangeDialog<AccessRequest>
      open={dialog.open} title={`Request access to ${product.spec.name}`} act="Request access" fields={fields}
      intro={<p className="note">{product.status.provider_name} decides within thirty days. Approved, it is offered to you as a share, with its terms, to be accepted or declined.</p>}
      call={({ spec }) => ({ method: 'post', path: '/v1/data-products/{id}/request', id: product.id, body: spec })}
      direct={() => <p className="share-summary" role="status">They see the name of your tenant and the reason, not who asks.</p>}
      onClose={dialog.close} onDone={() => say('Access was requested')}
    />
  )
}
