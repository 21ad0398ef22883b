// Usage and cost of the mock: a day-shaped curve over the mock's topics and accounts.
import type { Store } from './mock-store.ts'

export function reportFor(store: Store, collection: string, query: URLSearchParams, tenant: string | undefined): unknown {
  const groups = (query.get('group_by') ?? '').split(',').filter(Boolean)
  const step = query.get('granularity') === 'HOURLY' ? 3_600_000 : 86_400_000
  const start = Date.parse(query.get('start') ?? '')
  const end = Math.min(Date.parse(query.get('end') ?? ''), Date.now())
  const data: Record<string, unknown>[] = []
  const dimensions: Record<string, string[]> = {
    topic: store.list('topics', tenant).map((t) => t.id), principal: store.list('service-accounts', tenant).map((a) => a.id),
    cluster: store.list('clusters', tenant).map((c) => c.id).slice(0, 1), environment: store.list('environments', tenant).map((e) => e.id).slice(0, 1),
    tenant: store.list('tenants', tenant).map((t) => t.id), direction: ['PRODUCE', 'FETCH'], organization: store.list('organizations', tenant).map((o) => o.id),
  }
  const combinations = groups.reduce<Record<string, string>[]>((held, g) => held.flatMap((c) => (dimensions[g] ?? []).map((v) => ({ ...c, [g]: v }))), [{}])
  const totals = { bytes: 0, records: 0, requests: 0, uncertain_bytes: 0 }
  let amountTotal = 0
  for (let at = start; at < end; at += step) {
    const hour = new Date(at).getUTCHours()
    if (step === 3_600_000 && hour === 3) continue
    combinations.forEach((keys, i) => {
      const bytes = Math.round(2.4e9 * (1 + Math.sin(((hour - 8) / 24) * 2 * Math.PI)) * (step / 3_600_000) / (i + 1.4)) + 9e7
      const records = Math.round(bytes / 148)
      const base = { start: new Date(at).toISOString(), end: new Date(at + step).toISOString(), ...keys }
      if (collection === 'usage') {
        data.push({ ...base, bytes, records, requests: Math.round(records / 90), uncertain_bytes: 0 })
        totals.bytes += bytes
        totals.records += records
        totals.requests += Math.round(records / 90)
      } else {
        const amount = Math.round((bytes / 1024 ** 3) * 0.09 * 1e6) / 1e6
        amountTotal += amount
        data.push({ ...base, meter: 'PRODUCE_BYTES', quantity: bytes, amount: amount.toFixed(6), currency: 'EUR', unrated: false })
      }
    })
  }
  const metadata = { complete_until: new Date(Date.now() - 120_000).toISOString() }
  if (collection === 'usage') return { kind: 'UsageList', metadata, data, totals }
  return { kind: 'CostList', metadata, data, totals: [{ currency: 'EUR', amount: amountTotal.toFixed(6) }] }
}
