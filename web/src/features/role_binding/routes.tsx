// Role bindings: who may do what, on what.
import { useParams } from '@tanstack/react-router'
import { kindNamed, shortId } from '../../app/kinds.ts'
import { useAddress, useDialogInAddress } from '../../app/search.ts'
import { Button } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Crumb, Crumbs } from '../../ui/crumbs.tsx'
import { Facts } from '../../ui/facts.tsx'
import { words } from '../../ui/format.ts'
import { PageHead } from '../../ui/list-page.tsx'
import { ObjectLink } from '../../ui/object-link.tsx'
import { ObjectPage } from '../../ui/object-page.tsx'
import { Moment } from '../../ui/status.tsx'
import { BindingTable, resourceText, usePrincipalName } from './binding-table.tsx'
import { useBindingFields } from './forms.ts'
import { useRoleBinding } from './queries.ts'

const KIND = kindNamed('RoleBinding')!

export function RoleBindingsPage() {
  const create = useDialogInAddress('create')
  const { service_account } = useAddress()
  const fields = useBindingFields()
  const button = <Button tone="primary" icon="plus" onClick={create.show}>Bind role</Button>
  return (
    <>
      <PageHead title="Role bindings" intro="Who may do what, on what. A role on an environment holds for everything in it." actions={button} />
      <BindingTable action={button} />
      <ChangeDialog
        open={create.open} title="Bind a role" act="Bind role" fields={fields} initial={service_account ? { principal: service_account } : undefined}
        call={() => ({ method: 'post', path: '/v1/role-bindings' })} onClose={create.close} onDone={() => undefined}
      />
    </>
  )
}

export function RoleBindingPage() {
  const { id } = useParams({ strict: false })
  const name = usePrincipalName()
  return (
    <ObjectPage
      kind={KIND} query={useRoleBinding(id)} title={(b) => shortId(b.id)}
      deletes="Whoever holds it loses this role. A binding does not change: delete it and make another."
      crumbs={() => <Crumbs><Crumb to="/role-bindings">Role bindings</Crumb></Crumbs>}
    >
      {(binding) => (
        <Facts items={[
          ['Who', <ObjectLink key="w" id={binding.spec.principal} name={name(binding.spec.principal)} />],
          ['Role', words(binding.spec.role)],
          ['On', <code key="o">{resourceText(binding.spec.resource)}</code>],
          ['Created', <Moment key="c" at={binding.metadata.created_at} />],
        ]} />
      )}
    </ObjectPage>
  )
}
