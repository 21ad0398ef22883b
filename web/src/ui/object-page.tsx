// One object's page: where it is, its phase, what can be done with it, and its call and manifest.
import type { UseQueryResult } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { paths } from '../api/schema'
import { useApi } from '../api/hooks.ts'
import type { AnyObject } from '../api/types.ts'
import { nameOf, type Kind } from '../app/kinds.ts'
import { useDialogInAddress, type Search } from '../app/search.ts'
import { ActDialog } from './act-dialog.tsx'
import { curlOf, manifestOf } from './api-call.ts'
import { Button } from './button.tsx'
import { ChangeDialog } from './change-dialog.tsx'
import { CodeBlock, Copyable } from './copyable.tsx'
import { Dialog } from './dialog.tsx'
import type { Field } from './form/fields.ts'
import { words } from './format.ts'
import { Icon } from './icons.tsx'
import { PageHead, Stale } from './list-page.tsx'
import { Menu, type MenuItem } from './menu.tsx'
import { Failure, Skeleton } from './states.tsx'
import { Age, Phase } from './status.tsx'
import { useToast } from './toast.tsx'

interface ObjectPageProps<T extends AnyObject> {
  kind: Kind
  query: UseQueryResult<T>
  crumbs?: (object: T) => ReactNode
  /** Fields of the edit form; none when the object cannot be edited. */
  fields?: readonly Field[]
  /** What deleting destroys, in words. */
  deletes?: ReactNode
  /** Where to go once it is gone. */
  leaveTo?: (object: T) => { to: string; params?: Record<string, string> }
  actions?: (object: T) => ReactNode
  menu?: (object: T) => readonly MenuItem[]
  title?: (object: T) => string
  children: (object: T) => ReactNode
}

export function ObjectPage<T extends AnyObject>(props: ObjectPageProps<T>) {
  const { kind, query, title } = props
  if (query.isPending) return <><PageHead title="…" /><Skeleton label={`Reading the ${kind.one}`} /></>
  if (!query.data) {
    return <><PageHead title={kind.one.charAt(0).toUpperCase() + kind.one.slice(1)} /><Failure error={query.error} again={() => void query.refetch()} /></>
  }
  return <Found {...props} object={query.data} name={title?.(query.data) ?? nameOf(query.data)} />
}

function Found<T extends AnyObject>({ kind, query, crumbs, fields, deletes, leaveTo, actions, menu, children, object, name }: ObjectPageProps<T> & { object: T; name: string }) {
  const edit = useDialogInAddress('edit')
  const remove = useDialogInAddress('delete')
  const call = useDialogInAddress('api')
  const navigate = useNavigate()
  const say = useToast()
  const one = `${kind.api}/{id}` as keyof paths
  const going = object.status.phase === 'DELETING'
  const items: MenuItem[] = [...(menu?.(object) ?? []), { label: 'API call and manifest', icon: 'code', onSelect: call.show }]
  if (deletes && !going) items.push({ label: `Delete ${kind.one}…`, icon: 'close', danger: true, onSelect: remove.show })
  const leave = () => {
    const target = leaveTo?.(object) ?? { to: kind.route }
    say(`${name} is being deleted`)
    void navigate({ ...target, search: (old: Search) => ({ tenant: old.tenant }) } as Parameters<typeof navigate>[0])
  }
  return (
    <>
      <PageHead
        title={name}
        crumbs={crumbs?.(object)}
        actions={
          <>
            {actions?.(object)}
            {fields && !going && <Button onClick={edit.show}>Edit</Button>}
            <Menu label="More actions" button={<Icon name="more" />} items={items} className="button icon-only" />
          </>
        }
      />
      <div className="object-line">
        <Phase phase={object.status.phase} />
        <Copyable text={object.id} label="Copy id" />
        <span className="muted">changed <Age at={object.metadata.updated_at} /></span>
      </div>
      {query.error && <Stale since={query.dataUpdatedAt} error={query.error} again={() => void query.refetch()} />}
      <Trouble object={object} />
      {children(object)}
      {fields && (
        <ChangeDialog open={edit.open} title={`Edit ${name}`} act="Save changes" fields={fields} object={object} call={() => ({ method: 'patch', path: one, id: object.id })} onClose={edit.close} onDone={() => say(`${name} was changed`)} />
      )}
      {deletes && (
        <ActDialog open={remove.open} title={`Delete ${name}`} act={`Delete ${kind.one}`} danger typed={name} call={{ method: 'delete', path: one, id: object.id, generation: object.metadata.generation }} onClose={remove.close} onDone={leave}>
          <p className="warning"><Icon name="alert" /> {deletes}</p>
        </ActDialog>
      )}
      <CallDialog open={call.open} object={object} one={one} onClose={call.close} />
    </>
  )
}

function CallDialog({ open, object, one, onClose }: { open: boolean; object: AnyObject; one: keyof paths; onClose: () => void }) {
  const { tenant } = useApi()
  return (
    <Dialog open={open} title="API call and manifest" onClose={onClose}>
      <div className="dialog-main">
        <h3>Read it</h3>
        <CodeBlock text={curlOf({ method: 'get', path: one, id: object.id }, tenant)} label="API call" wrap />
        <h3>Manifest</h3>
        <CodeBlock text={manifestOf(object)} label="manifest" file={`${object.id}.json`} />
        <h3>As the API answers it</h3>
        <CodeBlock text={JSON.stringify(object, null, 2)} label="object" />
      </div>
    </Dialog>
  )
}

/** Why it is not READY, in the agent's own words, and the conditions that do not hold. */
function Trouble({ object }: { object: AnyObject }) {
  const { status } = object
  const failing = (status.conditions ?? []).filter((c) => c.status !== 'TRUE' && c.status !== 'True')
  if (!status.reason && !status.message && failing.length === 0) return null
  return (
    <div className={`trouble ${status.phase === 'FAILED' ? 'bad' : ''}`} role="status">
      {(status.message || status.reason) && <p>{status.message ?? words(status.reason ?? '')} {status.reason && <code>{status.reason}</code>}</p>}
      {failing.map((c) => <p key={c.type}>{c.type}: {c.message ?? c.reason ?? c.status}</p>)}
    </div>
  )
}
