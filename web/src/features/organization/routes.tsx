// Organizations: owners of tenants, with one bill and one directory.
import { useParams } from '@tanstack/react-router'
import type { Organization } from '../../api/types.ts'
import { kindNamed } from '../../app/kinds.ts'
import { useDialogInAddress } from '../../app/search.ts'
import { useReach } from '../../app/session.tsx'
import { Button, LinkButton } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Crumb, Crumbs } from '../../ui/crumbs.tsx'
import { Facts, Section } from '../../ui/facts.tsx'
import { Labels } from '../../ui/labels.tsx'
import { Collection, PageHead } from '../../ui/list-page.tsx'
import { ObjectLink } from '../../ui/object-link.tsx'
import { ObjectPage } from '../../ui/object-page.tsx'
import { Age, Moment } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { TenantTable } from '../tenant/tenant-table.tsx'
import { organizationFields } from './forms.ts'
import { useOrganization, useOrganizations } from './queries.ts'

const KIND = kindNamed('Organization')!

const columns: readonly Column<Organization>[] = [
  { key: 'name', label: 'Name', cell: (o) => <ObjectLink id={o.id} name={o.spec.display_name || o.spec.name} />, sort: (o) => o.spec.display_name },
  { key: 'short', label: 'In names', cell: (o) => <code>{o.spec.name}</code>, sort: (o) => o.spec.name },
  { key: 'labels', label: 'Labels', cell: (o) => <Labels labels={o.metadata.labels} /> },
  { key: 'created', label: 'Created', cell: (o) => <Age at={o.metadata.created_at} />, sort: (o) => o.metadata.created_at },
]

export function OrganizationsPage() {
  const create = useDialogInAddress('create')
  const operator = useReach() === 'operator'
  const button = operator && <Button tone="primary" icon="plus" onClick={create.show}>Create organization</Button>
  return (
    <>
      <PageHead title="Organizations" intro="A company: it owns tenants, and its bill is the sum of theirs." actions={button} />
      <Collection
        list={useOrganizations()} caption="Organizations" columns={columns} noun={['organization', 'organizations']} text={(o) => `${o.spec.name} ${o.spec.display_name} ${o.id}`}
        empty={{ title: 'No organizations yet', text: 'Begin with one; a single company without parts has one with one tenant.', action: button }}
      />
      <ChangeDialog open={create.open} title="Create an organization" act="Create organization" fields={organizationFields} call={() => ({ method: 'post', path: '/v1/organizations' })} onClose={create.close} onDone={() => undefined} />
    </>
  )
}

export function OrganizationPage() {
  const { id } = useParams({ strict: false })
  return (
    <ObjectPage
      kind={KIND} query={useOrganization(id)} fields={organizationFields} title={(o) => o.spec.display_name || o.spec.name}
      deletes="It must have no tenants." crumbs={() => <Crumbs><Crumb to="/organizations">Organizations</Crumb></Crumbs>}
    >
      {(organization) => (
        <>
          <Facts items={[
            ['Name', <code key="n">{organization.spec.name}</code>],
            ['Labels', <Labels key="l" labels={organization.metadata.labels} />],
            ['Created', <Moment key="c" at={organization.metadata.created_at} />],
          ]} />
          <Section title="Tenants" actions={<LinkButton to="/tenants" search={{ do: 'create', organization: organization.id }} icon="plus">Create tenant</LinkButton>}>
            <TenantTable organization={organization.id} />
          </Section>
        </>
      )}
    </ObjectPage>
  )
}
