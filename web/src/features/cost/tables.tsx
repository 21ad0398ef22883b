// The tables behind the chart: sums by dimension, and every row.
import { Button } from '../../ui/button.tsx'
import { Section } from '../../ui/facts.tsx'
import { formatBytes, formatCount, formatMoney, moneyDecimals, words } from '../../ui/format.ts'
import { Moment } from '../../ui/status.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { meterLabel } from '../rate_card/prices.ts'
import type { NameOf } from './names.ts'
import type { View } from './range.ts'
import { numberOf, sums, toCsv, type Row, type Sum } from './report.ts'

interface TableProps {
  view: View
  rows: readonly Row[]
  name: NameOf
}

const ROWS_SHOWN_MAX = 500

export function SumsTable({ view, rows, name }: TableProps) {
  const all = sums(rows, view.groups).sort((a, b) => size(b, view) - size(a, view))
  const decimals = moneyDecimals(all.map((s) => s.amount))
  const total = all.reduce((n, s) => n + size(s, view), 0)
  const dimensions = view.groups.map((g): Column<Sum> => ({ key: g, label: words(g), cell: (s) => <span title={s.keys[g]}>{name(g, s.keys[g])}</span>, sort: (s) => name(g, s.keys[g]) }))
  const share: Column<Sum> = { key: 'share', label: 'Share', align: 'right', cell: (s) => (total === 0 ? '' : `${((size(s, view) / total) * 100).toFixed(1)} %`) }
  const cost: Column<Sum>[] = [
    { key: 'amount', label: 'Cost', align: 'right', cell: (s) => money(s, decimals), sort: (s) => Number(s.amount) },
    share,
  ]
  const usage: Column<Sum>[] = [
    { key: 'bytes', label: 'Bytes', align: 'right', cell: (s) => <span title={`${s.bytes} bytes`}>{formatBytes(s.bytes)}</span>, sort: (s) => s.bytes },
    { key: 'records', label: 'Records', align: 'right', cell: (s) => formatCount(s.records), sort: (s) => s.records },
    { key: 'requests', label: 'Requests', align: 'right', cell: (s) => formatCount(s.requests), sort: (s) => s.requests },
    share,
  ]
  const first: Column<Sum>[] = dimensions.length > 0 ? dimensions : [{ key: 'all', label: 'Of', cell: () => 'everything in view' }]
  return (
    <Section title="Sums in this time">
      <Table caption="Sums by dimension" rows={all} columns={[...first, ...(view.measure === 'cost' ? cost : usage)]} id={(s) => s.key} still />
    </Section>
  )
}

function size(sum: Sum, view: View): number {
  return view.measure === 'cost' ? Number(sum.amount) : sum[view.measure]
}

function money(sum: Sum, decimals: number) {
  if (!sum.currency) return <span className="muted">not priced</span>
  return <span title={`${sum.amount} ${sum.currency}`}>{formatMoney(sum.amount, sum.currency, decimals)}</span>
}

export function RowsTable({ view, rows, name }: TableProps) {
  const decimals = moneyDecimals(rows.map((r) => r.amount ?? '0'))
  const byCost = view.measure === 'cost'
  const columns: Column<Row>[] = [
    { key: 'start', label: 'From', cell: (r) => <Moment at={r.start} precision="minute" />, sort: (r) => r.start, title: true },
    ...view.groups.map((g): Column<Row> => ({ key: g, label: words(g), cell: (r) => name(g, r.keys[g]), sort: (r) => name(g, r.keys[g]) })),
    ...(byCost
      ? [
          { key: 'meter', label: 'Meter', cell: (r: Row) => meterLabel(r.meter ?? ''), sort: (r: Row) => r.meter },
          { key: 'quantity', label: 'Quantity', align: 'right' as const, cell: (r: Row) => formatCount(r.quantity), sort: (r: Row) => r.quantity },
          { key: 'amount', label: 'Cost', align: 'right' as const, cell: (r: Row) => (r.currency ? formatMoney(r.amount ?? '0', r.currency, decimals) : <span className="muted">not priced</span>), sort: (r: Row) => Number(r.amount) },
        ]
      : [{ key: 'value', label: words(view.measure), align: 'right' as const, cell: (r: Row) => (view.measure === 'bytes' ? formatBytes(r.bytes) : formatCount(numberOf(r, view.measure))), sort: (r: Row) => numberOf(r, view.measure) }]),
  ]
  const shown = rows.slice(0, ROWS_SHOWN_MAX)
  return (
    <Section title="Every row" actions={<Button icon="download" onClick={() => downloadCsv(view, rows)}>Download CSV</Button>}>
      <details>
        <summary>{formatCount(rows.length)} rows: the numbers behind the chart</summary>
        {shown.length < rows.length && <p className="note">The first {formatCount(shown.length)} are shown; the CSV has all.</p>}
        <Table caption="Every row of the report" rows={shown} columns={columns} id={(r) => `${r.start}/${r.meter ?? ''}/${r.currency ?? ''}/${JSON.stringify(r.keys)}`} still />
      </details>
    </Section>
  )
}

function downloadCsv(view: View, rows: readonly Row[]): void {
  const url = URL.createObjectURL(new Blob([toCsv(rows, view.groups)], { type: 'text/csv' }))
  const link = document.createElement('a')
  link.href = url
  link.download = `weir-${view.measure === 'cost' ? 'costs' : 'usage'}-${view.start.slice(0, 10)}-${view.end.slice(0, 10)}.csv`
  link.click()
  URL.revokeObjectURL(url)
}
