// Requests for data products: those to decide about, and those that were sent.
import type { AccessRequest } from '../../api/types.ts'
import { useAddress, useSetAddress } from '../../app/search.ts'
import { ActDialog } from '../../ui/act-dialog.tsx'
import { Button } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Section } from '../../ui/facts.tsx'
import { Icon } from '../../ui/icons.tsx'
import { Collection } from '../../ui/list-page.tsx'
import { Menu, type MenuItem } from '../../ui/menu.tsx'
import { ObjectLink } from '../../ui/object-link.tsx'
import { Age, Phase } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { useToast } from '../../ui/toast.tsx'
import { ApproveWithMask } from './approve.tsx'
import { useRequests } from './queries.ts'

const isWaiting = (r: AccessRequest) => r.status.phase === 'PENDING'

const what: Column<AccessRequest> = { key: 'what', label: 'Data product', cell: (r) => <ObjectLink id={r.spec.data_product} name={r.status.product_name} />, sort: (r) => r.status.product_name }
const reason: Column<AccessRequest> = { key: 'reason', label: 'Reason', cell: (r) => <span className="clamped">{r.spec.reason}</span> }
const phase: Column<AccessRequest> = { key: 'phase', label: 'Phase', cell: (r) => <Phase phase={r.status.phase} />, sort: (r) => r.status.phase }
const asked: Column<AccessRequest> = { key: 'asked', label: 'Asked', cell: (r) => <Age at={r.metadata.created_at} />, sort: (r) => r.metadata.created_at }

/** What came of it: the share, or what was answered. */
function Outcome({ request: { status } }: { request: AccessRequest }) {
  const share = status.share ?? status.received_share
  return <>{share && <ObjectLink id={share} name="the share" />} {status.answer && <span className="clamped">{status.answer}</span>}</>
}

export function Requests() {
  const { do: act, object } = useAddress()
  const set = useSetAddress()
  const say = useToast()
  const received = useRequests({ direction: 'received' })
  const sent = useRequests({ direction: 'sent' })
  const chosen = [...(received.rows ?? []), ...(sent.rows ?? [])].find((r) => r.id === object)
  const show = (what: string, request: AccessRequest) => set({ do: what, object: request.id }, { push: true })
  const close = () => set({ do: undefined, object: undefined })
  const inbox: readonly Column<AccessRequest>[] = [
    { ...what, cell: (r) => (r.status.topic ? <ObjectLink id={r.status.topic} name={r.status.product_name} /> : r.status.product_name) },
    { key: 'from', label: 'From', cell: (r) => <span title={r.status.requester_tenant}>{r.status.tenant_name}</span>, sort: (r) => r.status.tenant_name },
    reason, phase, asked,
    { key: 'outcome', label: 'Outcome', cell: (r) => (isWaiting(r) ? <Decide request={r} show={show} /> : <Outcome request={r} />) },
  ]
  const outbox: readonly Column<AccessRequest>[] = [
    what,
    { key: 'to', label: 'Of', cell: (r) => r.status.tenant_name, sort: (r) => r.status.tenant_name },
    reason, phase, asked,
    { key: 'outcome', label: 'Outcome', cell: (r) => (isWaiting(r) ? <Button onClick={() => show('withdraw', r)}>Withdraw…</Button> : <Outcome request={r} />) },
  ]
  return (
    <>
      <Section title="To decide about">
        <Collection list={received} caption="Requests received" noun={['request', 'requests']} columns={inbox} text={textOf} empty={{ title: 'Nobody has asked', text: 'List a topic on its page, and tenants that find it can ask to read it.' }} />
      </Section>
      <Section title="Sent">
        <Collection list={sent} caption="Requests sent" noun={['request', 'requests']} columns={outbox} text={textOf} empty={{ title: 'Nothing asked for', text: 'What other tenants list is under Contracts, From others.' }} />
      </Section>
      {chosen && (
        <>
          <ActDialog open={act === 'approve'} title={`Approve ${chosen.status.product_name} for ${chosen.status.tenant_name}`} act="Approve" call={{ method: 'post', path: '/v1/access-requests/{id}/approve', id: chosen.id, body: {} }} onClose={close} onDone={() => say('It is offered to them')}>
            <p>It is offered to them as a share: tagged fields redacted, records from their acceptance on, at most 10 MiB a second, for 90 days. You can revoke it at any time.</p>
          </ActDialog>
          {act === 'approve-mask' && <ApproveWithMask request={chosen} onClose={close} onDone={() => say('It is offered to them')} />}
          <ChangeDialog<AccessRequest>
            open={act === 'reject'} title={`Reject the request of ${chosen.status.tenant_name}`} act="Reject" fields={[{ name: 'reason', label: 'Reason', kind: 'textarea', required: true, hint: 'They read it.' }]}
            call={({ spec }) => ({ method: 'post', path: '/v1/access-requests/{id}/reject', id: chosen.id, body: spec })} direct={() => <p className="share-summary" role="status">They can ask again.</p>} onClose={close} onDone={() => say('The request was rejected')}
          />
          <ActDialog open={act === 'withdraw'} title={`Withdraw the request for ${chosen.status.product_name}`} act="Withdraw request" call={{ method: 'post', path: '/v1/access-requests/{id}/withdraw', id: chosen.id, body: {} }} onClose={close} onDone={() => say('The request was withdrawn')}>
            <p>Nobody decides about it any more. You can ask again.</p>
          </ActDialog>
        </>
      )}
    </>
  )
}

const textOf = (r: AccessRequest) => `${r.status.product_name} ${r.status.tenant_name} ${r.spec.reason} ${r.status.phase} ${r.id}`

function Decide({ request, show }: { request: AccessRequest; show: (what: string, request: AccessRequest) => void }) {
  const items: MenuItem[] = [
    { label: 'Approve with a mask…', onSelect: () => show('approve-mask', request) },
    { label: 'Reject…', danger: true, onSelect: () => show('reject', request) },
  ]
  return <span className="share-path"><Button onClick={() => show('approve', request)}>Approve…</Button><Menu label={`More for ${request.status.tenant_name}`} button={<Icon name="more" />} items={items} /></span>
}
