// Members: the people of a tenant, an organization, or the installation.
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import type { Member } from '../../api/types.ts'
import { kindNamed } from '../../app/kinds.ts'
import { useDialogInAddress } from '../../app/search.ts'
import { Button } from '../../ui/button.tsx'
import { ActDialog } from '../../ui/act-dialog.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Copyable } from '../../ui/copyable.tsx'
import { Crumb, Crumbs } from '../../ui/crumbs.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Facts, Section } from '../../ui/facts.tsx'
import { Collection, PageHead } from '../../ui/list-page.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { ObjectPage } from '../../ui/object-page.tsx'
import { Age, Moment } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { BindingTable } from '../role_binding/binding-table.tsx'
import { useMemberFields } from './forms.ts'
import { useMemberObject, useMembers } from './queries.ts'

const KIND = kindNamed('Member')!
type CreatedMember = Member & { secret?: { password: string } }

export function MembersPage() {
  const create = useDialogInAddress('create')
  const fields = useMemberFields()
  const tenantName = useNames('/v1/tenants')
  const button = <Button tone="primary" icon="plus" onClick={create.show}>Add member</Button>
  const columns: Column<Member>[] = [
    { key: 'name', label: 'Name', cell: (m) => <ObjectLink id={m.id} name={m.spec.display_name || m.spec.email} />, sort: (m) => m.spec.display_name },
    { key: 'email', label: 'E-mail', cell: (m) => m.spec.email, sort: (m) => m.spec.email },
    { key: 'home', label: 'Of', cell: (m) => homeOf(m, tenantName(m.spec.tenant)) },
    { key: 'seen', label: 'Last signed in', cell: (m) => <Age at={m.status.last_signed_in_at} />, sort: (m) => m.status.last_signed_in_at ?? undefined },
    { key: 'created', label: 'Added', cell: (m) => <Age at={m.metadata.created_at} />, sort: (m) => m.metadata.created_at },
  ]
  return (
    <>
      <PageHead title="Members" intro="People who sign in here. What they may do is said by role bindings." actions={button} />
      <Collection
        list={useMembers()} caption="Members" columns={columns} noun={['member', 'members']}
        text={(m) => `${m.spec.display_name} ${m.spec.email} ${m.id}`}
        empty={{ title: 'No members', text: 'Add people who work with this tenant’s streams.', action: button }}
      />
      <ChangeDialog<CreatedMember>
        open={create.open} title="Add a member" act="Add member" fields={fields}
        call={() => ({ method: 'post', path: '/v1/members' })} onClose={create.close} onDone={() => undefined}
        after={(created, close) => <NewPassword created={created} close={close} />}
      />
    </>
  )
}

function homeOf(member: Member, tenantName: string | undefined): string {
  if (member.spec.tenant) return tenantName ?? 'this tenant'
  return member.spec.organization ? 'the organization' : 'the installation (operator)'
}

function NewPassword({ created, close, reset = false }: { created: CreatedMember; close: () => void; reset?: boolean }) {
  return (
    <>
      <div className="dialog-main">
        <p>{created.spec.display_name || created.spec.email} {reset ? 'was signed out everywhere and' : 'was added and'} can sign in with {created.spec.email}.</p>
        {created.secret?.password && (
          <>
            <p className="warning">This is the only time that the password is shown. Hand it over in a safe way.</p>
            <Facts items={[['Password', <span key="p" data-secret><Copyable text={created.secret.password} label="Copy password" /></span>]]} />
          </>
        )}
        {!reset && <p className="note">Next: bind a role, so that they may do something.</p>}
      </div>
      <footer className="dialog-foot"><Button tone="primary" onClick={close}>Done</Button></footer>
    </>
  )
}

export function MemberPage() {
  const { id } = useParams({ strict: false })
  const fields = useMemberFields()
  const reset = useDialogInAddress('reset')
  const tenantName = useNames('/v1/tenants')
  const organizationName = useNames('/v1/organizations')
  const [fresh, setFresh] = useState<CreatedMember | undefined>(undefined)
  return (
    <ObjectPage
      menu={() => [{ label: 'Reset password…', icon: 'key', onSelect: reset.show }]}
      kind={KIND} query={useMemberObject(id)} fields={fields} title={(m) => m.spec.display_name || m.spec.email}
      deletes="They are signed out everywhere and cannot sign in again. What they made stays."
      crumbs={() => <Crumbs><Crumb to="/members">Members</Crumb></Crumbs>}
    >
      {(member) => (
        <>
          <Facts items={[
            ['E-mail', <Copyable key="e" text={member.spec.email} label="Copy e-mail address" />],
            ['Tenant', member.spec.tenant ? <ObjectLink key="t" id={member.spec.tenant} name={tenantName(member.spec.tenant)} /> : 'none'],
            ['Organization', member.spec.organization ? <ObjectLink key="o" id={member.spec.organization} name={organizationName(member.spec.organization)} /> : 'none'],
            ['Last signed in', <Age key="s" at={member.status.last_signed_in_at} />],
            ['Added', <Moment key="a" at={member.metadata.created_at} />],
          ]} />
          <ActDialog<CreatedMember>
            open={reset.open} title="Reset the password" act="Reset password"
            call={{ method: 'post', path: '/v1/members/{id}/reset-password', id: member.id }} onClose={reset.close} onDone={setFresh}
          >
            <p>The old password stops working, and a new one is shown once.</p>
          </ActDialog>
          <Dialog open={!!fresh} title="New password" keepOpen onClose={() => setFresh(undefined)}>
            {fresh && <NewPassword created={fresh} close={() => setFresh(undefined)} reset />}
          </Dialog>
          {member.spec.tenant && <Section title="Roles"><BindingTable principal={member.id} /></Section>}
        </>
      )}
    </ObjectPage>
  )
}
