// Quotas: how much of a cluster principals may use; the list, and one with its use.
import { useParams } from '@tanstack/react-router'
import type { Quota, QuotaUsage } from '../../api/types.ts'
import { kindNamed, shortId } from '../../app/kinds.ts'
import { useAddress, useDialogInAddress } from '../../app/search.ts'
import { Button } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Crumb, Crumbs } from '../../ui/crumbs.tsx'
import { Facts, Section } from '../../ui/facts.tsx'
import { formatBytes, formatCount, formatDuration, plural, words } from '../../ui/format.ts'
import { Labels } from '../../ui/labels.tsx'
import { Collection, PageHead } from '../../ui/list-page.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { ObjectPage } from '../../ui/object-page.tsx'
import { Failure, Skeleton } from '../../ui/states.tsx'
import { Age, Moment, Phase } from '../../ui/status.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { useQuotaFields } from './forms.tsx'
import { useQuota, useQuotas, useQuotaUsage } from './queries.ts'
import { limitTexts, principalsOf, subjectText } from './quota.ts'

const KIND = kindNamed('Quota')!

export function QuotasPage() {
  const create = useDialogInAddress('create')
  const { cluster } = useAddress()
  const list = useQuotas({ cluster })
  const fields = useQuotaFields()
  const clusterName = useNames('/v1/clusters')
  const accountName = useNames('/v1/service-accounts')
  const button = <Button tone="primary" icon="plus" onClick={create.show}>Create quota</Button>
  const columns: Column<Quota>[] = [
    { key: 'id', label: 'Quota', cell: (q) => <ObjectLink id={q.id} name={shortId(q.id)} /> },
    { key: 'subject', label: 'For', cell: (q) => subjectText(q.spec.subject, accountName), sort: (q) => subjectText(q.spec.subject, accountName) },
    { key: 'limits', label: 'Limits', cell: (q) => limitTexts(q.spec.limits).join(', ') },
    { key: 'mode', label: 'Mode', cell: (q) => words(q.spec.mode ?? 'ENFORCE'), sort: (q) => q.spec.mode },
    { key: 'phase', label: 'Phase', cell: (q) => <Phase phase={q.status.phase} title={q.status.message} />, sort: (q) => q.status.phase },
    { key: 'cluster', label: 'Cluster', cell: (q) => <ObjectLink id={q.spec.cluster} name={clusterName(q.spec.cluster)} />, sort: (q) => clusterName(q.spec.cluster) },
    { key: 'created', label: 'Created', cell: (q) => <Age at={q.metadata.created_at} />, sort: (q) => q.metadata.created_at },
  ]
  return (
    <>
      <PageHead title="Quotas" intro="How much of a cluster service accounts may use. Who exceeds a rate is slowed down; when storage is used up, nothing more can be produced." actions={button} />
      <Collection
        list={list} caption="Quotas" noun={['quota', 'quotas']} columns={columns} narrowed={cluster !== undefined}
        text={(q) => `${subjectText(q.spec.subject, accountName)} ${clusterName(q.spec.cluster) ?? ''} ${q.spec.mode ?? ''} ${q.id}`}
        empty={{ title: 'No quotas yet', text: 'Without one, whoever is let in may use all that the brokers give. Begin with a quota in shadow: it only counts.', action: button }}
      />
      <ChangeDialog
        open={create.open} title="Create a quota" act="Create quota" fields={fields} initial={cluster ? { cluster } : undefined}
        call={() => ({ method: 'post', path: '/v1/quotas' })} onClose={create.close} onDone={() => undefined}
      />
    </>
  )
}

export function QuotaPage() {
  const { id } = useParams({ strict: false })
  const fields = useQuotaFields()
  return (
    <ObjectPage
      kind={KIND} query={useQuota(id)} fields={fields} title={(q) => shortId(q.id)}
      deletes="Whom it was for may use all that other quotas leave."
      crumbs={() => <Crumbs><Crumb to="/quotas">Quotas</Crumb></Crumbs>}
    >
      {(quota) => <><Wish quota={quota} /><Use id={quota.id} storage={quota.spec.limits.storage_bytes} /></>}
    </ObjectPage>
  )
}

function Wish({ quota }: { quota: Quota }) {
  const { spec, metadata } = quota
  const clusterName = useNames('/v1/clusters')
  const accountName = useNames('/v1/service-accounts')
  const principals = principalsOf(spec.subject)
  const floors = limitTexts(spec.floors ?? {})
  return (
    <Facts items={[
      ['For', subjectText(spec.subject, accountName)],
      principals.length > 0 && ['Service accounts', <span key="p">{principals.map((p) => <span key={p}><ObjectLink id={p} name={accountName(p)} /> </span>)}</span>],
      ['Limits', limitTexts(spec.limits).join(', ')],
      floors.length > 0 && ['Floors', floors.join(', ')],
      ['Mode', words(spec.mode ?? 'ENFORCE')],
      ['Cluster', <ObjectLink key="c" id={spec.cluster} name={clusterName(spec.cluster)} />],
      ['Labels', <Labels key="l" labels={metadata.labels} />],
      ['Created', <Moment key="m" at={metadata.created_at} />],
    ]} />
  )
}

type Principal = QuotaUsage['principals'][number]

function Use({ id, storage }: { id: string; storage?: number | undefined }) {
  const usage = useQuotaUsage(id)
  const accountName = useNames('/v1/service-accounts')
  if (usage.isPending) return <Skeleton label="Reading the use" />
  if (!usage.data) return <Failure error={usage.error} again={() => void usage.refetch()} />
  const { data } = usage
  const columns: Column<Principal>[] = [
    { key: 'principal', label: 'Service account', cell: (p) => <ObjectLink id={p.principal} name={accountName(p.principal)} /> },
    { key: 'in', label: 'Produced', align: 'right', cell: (p) => formatBytes(p.ingress_bytes), sort: (p) => p.ingress_bytes },
    { key: 'out', label: 'Fetched', align: 'right', cell: (p) => formatBytes(p.egress_bytes), sort: (p) => p.egress_bytes },
    { key: 'requests', label: 'Requests', align: 'right', cell: (p) => formatCount(p.requests), sort: (p) => p.requests },
    { key: 'waited', label: 'Throttled for', align: 'right', cell: (p) => formatDuration(p.throttled_ms), sort: (p) => p.throttled_ms },
    { key: 'would', label: 'Would have been', align: 'right', cell: (p) => formatDuration(p.would_throttle_ms), sort: (p) => p.would_throttle_ms },
  ]
  const hour = data.history.reduce((sum, m) => ({ waited: sum.waited + m.throttled_ms, would: sum.would + m.would_throttle_ms, refused: sum.refused + m.mutations_refused + m.storage_refused }), { waited: 0, would: 0, refused: 0 })
  return (
    <Section title="Use now" note="The last ten seconds or so, as the agent reported them. Times are those of all connections together.">
      <Facts items={[
        ['Produced', `${formatBytes(data.ingress_bytes_per_second)}/s`],
        ['Fetched', `${formatBytes(data.egress_bytes_per_second)}/s`],
        ['Requests', `${formatCount(Math.round(data.requests_per_second))}/s`],
        ['Connections', formatCount(data.connections)],
        storage !== undefined && ['Stored', data.storage ? `${formatBytes(data.storage.bytes)} of ${formatBytes(storage)} (${Math.round((100 * data.storage.bytes) / storage)} %)` : 'not measured yet'],
        hour.refused > 0 && ['Refused in the last hour', plural(hour.refused, 'request')],
        ['Throttled in the last hour', formatDuration(hour.waited)],
        ['Would have been', formatDuration(hour.would)],
        ['Reported', data.reported_until ? <Age key="r" at={data.reported_until} /> : 'nobody used it in the last hour'],
      ]} />
      {data.principals.length > 0 && <Table caption="Who uses it" rows={data.principals} columns={columns} id={(p) => p.principal} still />}
    </Section>
  )
}
