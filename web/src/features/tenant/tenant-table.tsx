// Tenants as rows; on the list's page and on an organization's.
import type { ReactNode } from 'react'
import type { Tenant } from '../../api/types.ts'
import { LinkButton } from '../../ui/button.tsx'
import { Collection } from '../../ui/list-page.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { Age } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { useTenantList } from './queries.ts'

export function TenantTable({ organization, action }: { organization?: string; action?: ReactNode }) {
  const organizationName = useNames('/v1/organizations')
  const columns: Column<Tenant>[] = [
    { key: 'name', label: 'Name', cell: (t) => <ObjectLink id={t.id} name={t.spec.display_name || t.spec.name} />, sort: (t) => t.spec.display_name },
    { key: 'short', label: 'In names', cell: (t) => <code>{t.spec.name}</code>, sort: (t) => t.spec.name },
    { key: 'organization', label: 'Organization', cell: (t) => <ObjectLink id={t.spec.organization} name={organizationName(t.spec.organization)} />, sort: (t) => organizationName(t.spec.organization) },
    { key: 'created', label: 'Created', cell: (t) => <Age at={t.metadata.created_at} />, sort: (t) => t.metadata.created_at },
    { key: 'open', label: 'Actions', unlabelled: true, cell: (t) => <LinkButton to="/" search={{ tenant: t.id }} tone="quiet">View its streams</LinkButton> },
  ]
  return (
    <Collection
      list={useTenantList({ organization })} caption="Tenants" noun={['tenant', 'tenants']}
      columns={organization ? columns.filter((c) => c.key !== 'organization') : columns}
      text={(t) => `${t.spec.name} ${t.spec.display_name} ${t.id}`}
      empty={{ title: 'No tenants yet', text: 'A tenant is the wall between customers or business units.', action }}
    />
  )
}
