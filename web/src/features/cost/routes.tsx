// Usage and cost: who used what, what it costs, and how far the numbers can be relied on.
import { useMemo } from 'react'
import type { CostReport, UsageReport } from '../../api/types.ts'
import { useAddress } from '../../app/search.ts'
import { Chart, type Scale } from '../../ui/chart.tsx'
import { BINARY_STEPS, WHOLE_STEPS } from '../../ui/chart-parts.ts'
import { formatBytes, formatCount, formatMoney, moneyDecimals, moneyTicks } from '../../ui/format.ts'
import { PageHead, Stale } from '../../ui/list-page.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { Empty, Failure, Skeleton } from '../../ui/states.tsx'
import { Moment, useNow } from '../../ui/status.tsx'
import { Controls } from './controls.tsx'
import { labelOf, useGroupNames } from './names.ts'
import { useCosts, useUsage } from './queries.ts'
import { viewOf, type View } from './range.ts'
import { fromCost, fromUsage, periods, seriesOf, type Measure, type Row } from './report.ts'
import { RowsTable, SumsTable } from './tables.tsx'

const HOUR_MS = 3_600_000

export function CostsPage() {
  const address = useAddress()
  // The view moves with the hour, not with the second.
  const hour = Math.floor(useNow() / HOUR_MS)
  const view = useMemo(() => viewOf(address, new Date(hour * HOUR_MS)), [address, hour])
  return (
    <>
      <PageHead title="Usage and cost" intro="Counted by the gateway in your network, priced by rate cards. Time is cut in UTC, as on the bill." />
      <Controls view={view} />
      {view.measure === 'cost' ? <Costs view={view} /> : <Usage view={view} />}
    </>
  )
}

const queryOf = (view: View) => ({ start: view.start, end: view.end, granularity: view.granularity, group_by: view.groups.join(',') })

function Costs({ view }: { view: View }) {
  const query = useCosts(queryOf(view))
  const rows = useMemo(() => (query.data?.report.data ?? []).map(fromCost), [query.data])
  if (query.isPending) return <Skeleton lines={8} label="Reading costs" />
  if (!query.data) return <Failure error={query.error} again={() => void query.refetch()} />
  const { report, cut } = query.data
  return (
    <>
      {query.error && <Stale since={query.dataUpdatedAt} error={query.error} again={() => void query.refetch()} />}
      <CostFigures report={report} rows={rows} />
      <Body view={view} rows={rows} cut={cut} completeUntil={report.metadata.complete_until} />
      <Unmetered clusters={report.metadata.unmetered_clusters} />
    </>
  )
}

function Usage({ view }: { view: View }) {
  const query = useUsage(queryOf(view))
  const rows = useMemo(() => (query.data?.report.data ?? []).map(fromUsage), [query.data])
  if (query.isPending) return <Skeleton lines={8} label="Reading usage" />
  if (!query.data) return <Failure error={query.error} again={() => void query.refetch()} />
  const { report, cut } = query.data
  return (
    <>
      {query.error && <Stale since={query.dataUpdatedAt} error={query.error} again={() => void query.refetch()} />}
      <UsageFigures report={report} />
      <Body view={view} rows={rows} cut={cut} completeUntil={report.metadata.complete_until} />
      <Unmetered clusters={report.metadata.unmetered_clusters} />
    </>
  )
}

/** What nobody counts is said, lest it look like nothing. */
function Unmetered({ clusters = [] }: { clusters?: readonly string[] }) {
  const names = useNames('/v1/clusters')
  if (clusters.length === 0) return null
  return (
    <p className="note" role="status" data-note="unmetered">
      Not metered, since in native mode clients reach the brokers directly: {clusters.map((id, at) => <span key={id}>{at > 0 && ', '}<ObjectLink id={id} name={names(id)} /></span>)}.
    </p>
  )
}

function Figure({ value, label, name }: { value: React.ReactNode; label: string; name?: string }) {
  return <div data-figure={name}><span className="figure">{value}</span><span className="muted">{label}</span></div>
}

function CompleteUntil({ at }: { at: string | undefined }) {
  return <Figure value={at ? <Moment at={at} precision="minute" /> : 'unknown'} label={at ? 'complete until; later numbers may grow' : 'complete until: an agent has not told its usage yet'} />
}

function CostFigures({ report, rows }: { report: CostReport; rows: readonly Row[] }) {
  const unrated = rows.some((r) => r.unrated && (r.quantity ?? 0) > 0)
  return (
    <>
      <div className="figures">
        {report.totals.length === 0 && <Figure name="total" value="0" label="nothing charged in this time" />}
        {report.totals.map((t) => (
          <Figure key={t.currency} name="total" value={<span title={`${t.amount} ${t.currency}`}>{formatMoney(t.amount, t.currency, moneyDecimals([t.amount]))}</span>} label="total in this time" />
        ))}
        <CompleteUntil at={report.metadata.complete_until} />
      </div>
      {unrated && <p className="note warn" role="status">Some usage in this time has no rate card in force; it is counted and charged at zero.</p>}
    </>
  )
}

function UsageFigures({ report }: { report: UsageReport }) {
  const { totals } = report
  return (
    <div className="figures">
      <Figure name="bytes" value={<span title={`${totals.bytes} bytes`}>{formatBytes(totals.bytes)}</span>} label="in record batches" />
      <Figure name="records" value={formatCount(totals.records)} label="records" />
      <Figure name="requests" value={formatCount(totals.requests)} label="requests" />
      {totals.uncertain_bytes > 0 && <Figure value={formatBytes(totals.uncertain_bytes)} label="uncertain, not priced" />}
      <CompleteUntil at={report.metadata.complete_until} />
    </div>
  )
}

function formatFor(measure: Measure, currency: string | undefined): (value: number) => string {
  if (measure === 'bytes') return formatBytes
  if (measure !== 'cost') return (value) => formatCount(value)
  return (value) => (currency ? formatMoney(String(Number(value.toPrecision(6))), currency) : String(value))
}

function scaleFor(measure: Measure, currency: string | undefined): Scale | undefined {
  if (measure === 'bytes') return { steps: BINARY_STEPS }
  if (measure !== 'cost') return { steps: WHOLE_STEPS }
  return currency ? { text: (ticks) => moneyTicks(ticks, currency) } : undefined
}

interface BodyProps {
  view: View
  rows: readonly Row[]
  cut: boolean
  completeUntil: string | undefined
}

function Body({ view, rows, cut, completeUntil }: BodyProps) {
  const name = useGroupNames()
  const times = useMemo(() => periods(view.start, view.end, view.granularity), [view])
  const currencies = [...new Set(rows.map((r) => r.currency).filter((c) => c !== undefined))]
  const currency = currencies[0]
  const format = useMemo(() => formatFor(view.measure, currency), [view.measure, currency])
  const scale = useMemo(() => scaleFor(view.measure, currency), [view.measure, currency])
  const drawn = useMemo(() => seriesOf(rows.filter((r) => r.currency === undefined || r.currency === currency), view.groups, view.measure, times), [rows, view, times, currency])
  const labels = drawn.map((s) => labelOf(s.keys, view.groups, name)).join('\n')
  const series = useMemo(() => drawn.map((s, i) => ({ key: s.key, label: labels.split('\n')[i] ?? s.key, values: s.values })), [drawn, labels])
  if (rows.length === 0) {
    return <Empty title="Nothing was used in this time">Usage appears here about a minute after records flow through the gateway.</Empty>
  }
  const from = completeUntil ? Date.parse(completeUntil) / 1000 : undefined
  return (
    <>
      {cut && <p className="note warn" role="status">More rows than are shown: choose a shorter time or coarser steps. The totals above are whole.</p>}
      {currencies.length > 1 && <p className="note" role="status">Several currencies: the chart shows {currency}; the table shows all.</p>}
      <Chart label={`${view.measure} over time`} times={times} series={series} format={format} scale={scale} incompleteFrom={from} />
      <SumsTable view={view} rows={rows} name={name} />
      <RowsTable view={view} rows={rows} name={name} />
    </>
  )
}
