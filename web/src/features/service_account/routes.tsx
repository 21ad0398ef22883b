// Service accounts: the list, and one with its keys and roles.
import { useParams } from '@tanstack/react-router'
import type { ServiceAccount } from '../../api/types.ts'
import { kindNamed } from '../../app/kinds.ts'
import { useDialogInAddress } from '../../app/search.ts'
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
import { KeyTable } from '../api_key/key-table.tsx'
import { BindingTable } from '../role_binding/binding-table.tsx'
import { serviceAccountFields } from './forms.ts'
import { useServiceAccount, useServiceAccounts } from './queries.ts'

const KIND = kindNamed('ServiceAccount')!

const columns: readonly Column<ServiceAccount>[] = [
  { key: 'name', label: 'Name', cell: (a) => <ObjectLink id={a.id} name={a.spec.name} />, sort: (a) => a.spec.name },
  { key: 'description', label: 'Description', cell: (a) => a.spec.description || <span className="muted">none</span> },
  { key: 'labels', label: 'Labels', cell: (a) => <Labels labels={a.metadata.labels} /> },
  { key: 'created', label: 'Created', cell: (a) => <Age at={a.metadata.created_at} />, sort: (a) => a.metadata.created_at },
]

export function ServiceAccountsPage() {
  const create = useDialogInAddress('create')
  const button = <Button tone="primary" icon="plus" onClick={create.show}>Create service account</Button>
  return (
    <>
      <PageHead title="Service accounts" intro="Who an application is. It holds keys to sign in with and roles that say what it may do." actions={button} />
      <Collection
        list={useServiceAccounts()} caption="Service accounts" columns={columns} noun={['service account', 'service accounts']}
        text={(a) => `${a.spec.name} ${a.spec.description ?? ''} ${a.id}`}
        empty={{ title: 'No service accounts yet', text: 'Make one for each application; then give it a key and a role.', action: button }}
      />
      <ChangeDialog
        open={create.open} title="Create a service account" act="Create service account" fields={serviceAccountFields}
        call={() => ({ method: 'post', path: '/v1/service-accounts' })} onClose={create.close} onDone={() => undefined}
      />
    </>
  )
}

export function ServiceAccountPage() {
  const { id } = useParams({ strict: false })
  return (
    <ObjectPage
      kind={KIND} query={useServiceAccount(id)} fields={serviceAccountFields}
      deletes="Its keys stop working at once and its roles are gone."
      crumbs={() => <Crumbs><Crumb to="/service-accounts">Service accounts</Crumb></Crumbs>}
    >
      {(account) => (
        <>
          <Facts items={[
            ['Description', account.spec.description || <span className="muted">none</span>],
            ['Labels', <Labels key="l" labels={account.metadata.labels} />],
            ['Created', <Moment key="c" at={account.metadata.created_at} />],
          ]} />
          <Section title="Keys" actions={<LinkButton to="/api-keys" search={{ do: 'create', service_account: account.id }} icon="plus">Create key</LinkButton>}>
            <KeyTable serviceAccount={account.id} />
          </Section>
          <Section title="Roles" actions={<LinkButton to="/role-bindings" search={{ do: 'create', service_account: account.id }} icon="plus">Bind role</LinkButton>}>
            <BindingTable principal={account.id} />
          </Section>
        </>
      )}
    </ObjectPage>
  )
}
