// The audit trail: who changed what, when, from what to what.
import type { AuditEvent } from '../../api/types.ts'
import { KINDS, nounOf, shortId } from '../../app/kinds.ts'
import { useAddress, useSetAddress } from '../../app/search.ts'
import { Button } from '../../ui/button.tsx'
import { Copyable } from '../../ui/copyable.tsx'
import { diffLeaves } from '../../ui/diff.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Facts } from '../../ui/facts.tsx'
import { words } from '../../ui/format.ts'
import { Collection, PageHead } from '../../ui/list-page.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { Differences } from '../../ui/plan.tsx'
import { Age, Moment } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { factsOf, objectName } from './event.ts'
import { useAuditEvents } from './queries.ts'

export function AuditPage() {
  const address = useAddress()
  const set = useSetAddress()
  const list = useAuditEvents({ kind: address.kind, object_id: address.object, principal: address.who, action: address.action })
  const opened = list.rows?.find((e) => e.id === address.event)
  const memberName = useNames('/v1/members')
  const accountName = useNames('/v1/service-accounts')
  const who = (id: string) => memberName(id) ?? accountName(id)
  const columns: Column<AuditEvent>[] = [
    { key: 'what', label: 'What', title: true, cell: (e) => <What event={e} open={() => set({ event: e.id }, { push: true })} /> },
    { key: 'object', label: 'Object', cell: (e) => <ObjectLink id={factsOf(e).object} name={objectName(e)} /> },
    { key: 'who', label: 'Who', cell: (e) => <WhoFilter id={factsOf(e).who} name={who(factsOf(e).who)} /> },
    { key: 'when', label: 'When', cell: (e) => <Age at={factsOf(e).occurred_at} />, sort: (e) => factsOf(e).occurred_at },
    { key: 'request', label: 'Request', cell: (e) => <Copyable text={factsOf(e).request_id} shown={`…${factsOf(e).request_id.slice(-8)}`} label="Copy request id" />, wideOnly: true },
  ]
  const narrowed = !!(address.kind ?? address.object ?? address.who)
  return (
    <>
      <PageHead title="Audit" intro="Every change, by whom, with what was before and after. Kept by the control plane; it cannot be edited here." />
      <Collection
        list={list} caption="Audit events" columns={columns} noun={['event', 'events']} narrowed={narrowed}
        text={(e) => `${factsOf(e).action} ${factsOf(e).kind} ${factsOf(e).object} ${objectName(e)} ${factsOf(e).who} ${who(factsOf(e).who) ?? ''} ${factsOf(e).request_id}`}
        filters={
          <>
            <select aria-label="Kind" value={address.kind ?? ''} onChange={(event) => set({ kind: event.target.value || undefined })}>
              <option value="">All kinds</option>
              {KINDS.map((k) => <option key={k.kind} value={k.kind}>{words(k.one)}</option>)}
            </select>
            {(address.object ?? address.who) && <Button tone="quiet" icon="close" onClick={() => set({ object: undefined, who: undefined })}>{address.object ? 'One object' : 'One person'}</Button>}
          </>
        }
        empty={{ title: 'Nothing was changed yet', text: 'Every change made through the API, the console or a pipeline appears here.' }}
      />
      <Dialog open={!!opened} title={opened ? `${words(factsOf(opened).action)} ${nounOf(factsOf(opened).kind)}` : ''} onClose={() => set({ event: undefined })}>
        {opened && <Details event={opened} who={who(factsOf(opened).who)} />}
      </Dialog>
    </>
  )
}

const TONES: Record<string, string> = { CREATE: 'good', DELETE: 'bad' }

function What({ event, open }: { event: AuditEvent; open: () => void }) {
  const { action, kind } = factsOf(event)
  return (
    <button type="button" className="linkish" onClick={open} aria-haspopup="dialog">
      <span className={`tag ${TONES[action.toUpperCase()] ?? 'busy'}`}>{words(action)}</span> {nounOf(kind)}
    </button>
  )
}

function WhoFilter({ id, name }: { id: string; name: string | undefined }) {
  const set = useSetAddress()
  return <button type="button" className="linkish" title={`Only changes by ${id}`} onClick={() => set({ who: id })}>{name ?? shortId(id)}</button>
}

function Details({ event, who }: { event: AuditEvent; who: string | undefined }) {
  const facts = factsOf(event)
  const leaves = diffLeaves(facts.before, facts.after)
  return (
    <div className="dialog-main">
      <Facts items={[
        ['Who', <span key="w" title={facts.who}>{who ?? facts.who}</span>],
        ['When', <Moment key="t" at={facts.occurred_at} />],
        ['Object', <Copyable key="o" text={facts.object} label="Copy object id" />],
        ['Request', <Copyable key="r" text={facts.request_id} label="Copy request id" />],
      ]} />
      <h3>Before and after</h3>
      {leaves.length === 0 ? <p className="muted">No field changed.</p> : <Differences leaves={leaves} />}
    </div>
  )
}
