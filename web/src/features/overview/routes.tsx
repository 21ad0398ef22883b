// The overview: what needs attention first, then what there is.
import { Link } from '@tanstack/react-router'
import type { Search } from '../../app/search.ts'
import { useTenantInView } from '../../app/tenant.tsx'
import { Copyable } from '../../ui/copyable.tsx'
import { Section } from '../../ui/facts.tsx'
import { formatBytes, formatCount, formatMoney, moneyDecimals, plural, words } from '../../ui/format.ts'
import { Icon } from '../../ui/icons.tsx'
import { PageHead } from '../../ui/list-page.tsx'
import { Failure, PartMissing, Skeleton } from '../../ui/states.tsx'
import { Age, Phase, useNow } from '../../ui/status.tsx'
import { attention, type Attention, type Seen } from './attention.ts'
import { checklist, type Step } from './checklist.ts'
import { useLastDay, useOverview, useQuotas } from './queries.ts'

type Parts = ReturnType<typeof useOverview>

export function OverviewPage() {
  const parts = useOverview()
  const hour = Math.floor(useNow() / 3_600_000)
  const day = useLastDay(hour)
  const queries = Object.values(parts)
  const tenant = useTenantInView()
  const failed = queries.find((q) => q.error && !q.data)
  const everythingFailed = queries.every((q) => q.error && !q.data)
  const loading = queries.some((q) => q.isPending)
  if (everythingFailed) return <><PageHead title="Overview" /><Failure error={failed?.error} again={() => queries.forEach((q) => void q.refetch())} /></>
  if (loading) return <><PageHead title="Overview" /><Skeleton lines={8} label="Reading what there is" /></>
  const seen = seenOf(parts)
  const steps = checklist({ ...seen, environments: parts.environments.data?.length ?? 0, accounts: parts.accounts.data?.length ?? 0, bindings: parts.bindings.data?.length ?? 0 }, day.usage.data?.report.totals.records)
  const begun = steps.every((s, i) => s.done || i === steps.length - 1)
  return (
    <>
      <PageHead title="Overview" />
      {failed && <PartMissing what="A part of this page" error={failed.error} again={() => void failed.refetch()} />}
      {!begun && <Checklist steps={steps} />}
      <AttentionList seen={seen} />
      <LastDay day={day} />
      <Fleet seen={seen} />
      <Counts parts={parts} />
      {tenant && <p className="note page-foot">Tenant id, for those who want to lend you a place: <Copyable text={tenant} label="Copy tenant id" /></p>}
    </>
  )
}

function seenOf(parts: Parts): Seen {
  return {
    planes: parts.planes.data ?? [], pools: parts.pools.data ?? [], clusters: parts.clusters.data ?? [],
    topics: parts.topics.data ?? [], keys: parts.keys.data ?? [], received: parts.received.data ?? [],
  }
}

function AttentionList({ seen }: { seen: Seen }) {
  const now = useNow()
  const items = attention(seen, now)
  return (
    <Section title="Needs attention">
      {items.length === 0
        ? <p className="all-well"><Icon name="check" /> Nothing. Every data plane is connected and everything asked for is ready.</p>
        : <ul className="attention">{items.map((item) => <AttentionItem key={item.key} item={item} />)}</ul>}
    </Section>
  )
}

function AttentionItem({ item }: { item: Attention }) {
  return (
    <li className={item.rank <= 1 ? 'urgent' : ''}>
      <Icon name="alert" />
      <span><Link to={`${item.route}/$id` as '/topics/$id'} params={{ id: item.id }}>{item.name}</Link> {item.text}</span>
    </li>
  )
}

function Checklist({ steps }: { steps: readonly Step[] }) {
  const done = steps.filter((s) => s.done).length
  const next = steps.findIndex((s) => !s.done)
  return (
    <Section title="First steps" note={`${done} of ${steps.length} done. They tick by what is really there.`}>
      <ol className="checklist">
        {steps.map((step, index) => (
          <li key={step.label} className={step.done ? 'done' : index === next ? 'now' : ''}>
            <span className="tick" aria-hidden="true">{step.done ? '✓' : index + 1}</span>
            {step.done
              ? <span>{step.label}<span className="hidden-visually"> (done)</span></span>
              : <Link to={step.to as '/topics'} search={(old: Search) => ({ tenant: old.tenant, do: step.create ? 'create' : undefined })}>{step.label}</Link>}
            <span className="muted">{step.hint}</span>
          </li>
        ))}
      </ol>
    </Section>
  )
}

function LastDay({ day }: { day: ReturnType<typeof useLastDay> }) {
  const totals = day.usage.data?.report.totals
  const costs = day.costs.data?.report.totals ?? []
  return (
    <Section title="Last 24 hours" actions={<Link to="/costs">Usage and cost</Link>}>
      {(day.usage.error ?? day.costs.error) && <PartMissing what="Usage or cost" error={day.usage.error ?? day.costs.error} again={() => { void day.usage.refetch(); void day.costs.refetch() }} />}
      <div className="figures">
        <div><span className="figure">{totals ? formatCount(totals.records) : '…'}</span><span className="muted">records through the gateway</span></div>
        <div><span className="figure">{totals ? formatBytes(totals.bytes) : '…'}</span><span className="muted">in record batches</span></div>
        {costs.map((t) => <div key={t.currency}><span className="figure" title={`${t.amount} ${t.currency}`}>{formatMoney(t.amount, t.currency, moneyDecimals([t.amount]))}</span><span className="muted">cost</span></div>)}
        {costs.length === 0 && <div><span className="figure">{day.costs.data ? '0' : '…'}</span><span className="muted">cost; nothing was charged</span></div>}
      </div>
    </Section>
  )
}

function Fleet({ seen }: { seen: Seen }) {
  if (seen.planes.length === 0) return null
  return (
    <Section title="Data planes">
      <ul className="fleet">
        {seen.planes.map((p) => (
          <li key={p.id}>
            <Link to="/data-planes/$id" params={{ id: p.id }}>{p.spec.name}</Link>
            <Phase phase={p.status.phase} />
            <span className="muted">{p.status.last_seen_at ? <>heard <Age at={p.status.last_seen_at} /></> : 'never heard'}</span>
            <span className="muted">{plural(p.status.gateways_live ?? 0, 'gateway')} live</span>
          </li>
        ))}
      </ul>
    </Section>
  )
}

function Counts({ parts }: { parts: Parts }) {
  const quotas = useQuotas()
  const limits = new Map(quotas.data?.data.map((q) => [q.name, q]))
  const counts: [string, string, number | undefined][] = [
    ['environments', '/environments', parts.environments.data?.length],
    ['clusters', '/clusters', parts.clusters.data?.length],
    ['topics', '/topics', parts.topics.data?.length],
    ['partitions', '/topics', parts.topics.data?.reduce((n, t) => n + (t.spec.partitions ?? 0), 0)],
    ['service_accounts', '/service-accounts', parts.accounts.data?.length],
    ['api_keys', '/api-keys', parts.keys.data?.length],
  ]
  return (
    <Section title="What there is">
      {quotas.error && <PartMissing what="Service quotas" error={quotas.error} again={() => void quotas.refetch()} />}
      <ul className="counts">
        {counts.map(([name, to, count]) => {
          const quota = limits.get(name)
          return (
            <li key={name}>
              <Link to={to as '/topics'}>
                <span className="figure">{formatCount(quota?.used ?? count)}</span>
                <span>{words(name)}</span>
                {quota && <span className="muted">of {formatCount(quota.limit)}</span>}
              </Link>
            </li>
          )
        })}
      </ul>
    </Section>
  )
}
