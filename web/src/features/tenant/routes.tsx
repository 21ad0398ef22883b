// Tenants: the isolation boundary.
import { useParams } from '@tanstack/react-router'
import { kindNamed } from '../../app/kinds.ts'
import { useAddress, useDialogInAddress } from '../../app/search.ts'
import { Button, LinkButton } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Crumb, Crumbs } from '../../ui/crumbs.tsx'
import { Facts } from '../../ui/facts.tsx'
import { Labels } from '../../ui/labels.tsx'
import { PageHead } from '../../ui/list-page.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { ObjectPage } from '../../ui/object-page.tsx'
import { Moment } from '../../ui/status.tsx'
import { SharingSwitch } from '../share/switch.tsx'
import { useTenantFields } from './forms.ts'
import { useTenant } from './queries.ts'
import { TenantTable } from './tenant-table.tsx'

const KIND = kindNamed('Tenant')!

export function TenantsPage() {
  const create = useDialogInAddress('create')
  const { organization } = useAddress()
  const fields = useTenantFields()
  const button = <Button tone="primary" icon="plus" onClick={create.show}>Create tenant</Button>
  return (
    <>
      <PageHead title="Tenants" intro="Each has its own streams, people, keys and bill; none sees another." actions={button} />
      <TenantTable action={button} />
      <ChangeDialog
        open={create.open} title="Create a tenant" act="Create tenant" fields={fields} initial={organization ? { organization } : undefined}
        call={() => ({ method: 'post', path: '/v1/tenants' })} onClose={create.close} onDone={() => undefined}
      />
    </>
  )
}

export function TenantPage() {
  const { id } = useParams({ strict: false })
  const fields = useTenantFields()
  const organizationName = useNames('/v1/organizations')
  return (
    <ObjectPage
      kind={KIND} query={useTenant(id)} fields={fields} title={(t) => t.spec.display_name || t.spec.name}
      deletes="It must be empty: delete its clusters, data planes and accounts first."
      crumbs={() => <Crumbs><Crumb to="/tenants">Tenants</Crumb></Crumbs>}
      actions={(t) => <LinkButton to="/" search={{ tenant: t.id }}>View its streams</LinkButton>}
    >
      {(tenant) => (
        <>
          <Facts items={[
            ['Name', <code key="n">{tenant.spec.name}</code>],
            ['Organization', <ObjectLink key="o" id={tenant.spec.organization} name={organizationName(tenant.spec.organization)} />],
            ['Labels', <Labels key="l" labels={tenant.metadata.labels} />],
            ['Created', <Moment key="c" at={tenant.metadata.created_at} />],
          ]} />
          <SharingSwitch tenant={tenant.id} />
        </>
      )}
    </ObjectPage>
  )
}
