// Role bindings as rows; on the list's page and on a principal's.
import type { ReactNode } from 'react'
import type { RoleBinding } from '../../api/types.ts'
import { shortId } from '../../app/kinds.ts'
import { words } from '../../ui/format.ts'
import { Collection } from '../../ui/list-page.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { Age } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { useRoleBindings } from './queries.ts'

export function usePrincipalName(): (id: string | undefined) => string | undefined {
  const account = useNames('/v1/service-accounts')
  const member = useNames('/v1/members')
  return (id) => (id?.startsWith('member_') ? member(id) : account(id))
}

export const resourceText = (resource: string): string => (resource === '*' ? '* (whole tenant)' : resource)

export function BindingTable({ principal, action }: { principal?: string; action?: ReactNode }) {
  const list = useRoleBindings({ principal })
  const name = usePrincipalName()
  const columns: Column<RoleBinding>[] = [
    { key: 'principal', label: 'Who', cell: (b) => <ObjectLink id={b.spec.principal} name={name(b.spec.principal)} />, sort: (b) => name(b.spec.principal) },
    { key: 'role', label: 'Role', cell: (b) => words(b.spec.role), sort: (b) => b.spec.role },
    { key: 'resource', label: 'On', cell: (b) => <code>{resourceText(b.spec.resource)}</code>, sort: (b) => b.spec.resource },
    { key: 'id', label: 'Binding', cell: (b) => <ObjectLink id={b.id} name={shortId(b.id)} /> },
    { key: 'created', label: 'Created', cell: (b) => <Age at={b.metadata.created_at} />, sort: (b) => b.metadata.created_at },
  ]
  return (
    <Collection
      list={list} caption="Role bindings" noun={['role binding', 'role bindings']}
      columns={principal ? columns.filter((c) => c.key !== 'principal') : columns}
      text={(b) => `${name(b.spec.principal) ?? ''} ${b.spec.role} ${b.spec.resource} ${b.id}`}
      empty={{ title: 'No roles bound', text: 'Without a role nobody may do anything. Bind one: who, which role, on what.', action }}
    />
  )
}
