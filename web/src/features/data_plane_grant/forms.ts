// What a grant is asked for.
import { useAll } from '../../api/hooks.ts'
import { useTenants, useTenantInView } from '../../app/tenant.tsx'
import { labelsField, type Field } from '../../ui/form/fields.ts'
import type { Parsed } from '../../ui/form/parse.ts'

function parseTenant(text: string): Parsed<string> {
  const value = text.trim()
  return /^tenant_[0-9a-z]{26}$/.test(value) ? { ok: true, value } : { ok: false, error: 'The id of a tenant, such as tenant_01j…' }
}

export function useGrantFields(): readonly Field[] {
  const pools = useAll('/v1/broker-pools').data ?? []
  const inView = useTenantInView()
  const others = (useTenants().tenants ?? []).filter((t) => t.id !== inView)
  return [
    { name: 'broker_pool', label: 'Broker pool', kind: 'select', required: true, fixed: true, options: pools.map((p) => ({ value: p.id, label: p.spec.name })) },
    { name: 'guest_tenant', label: 'Guest tenant', kind: 'suggest', required: true, fixed: true, parse: parseTenant, options: others.map((t) => ({ value: t.id, label: t.spec.display_name || t.spec.name })), hint: 'Ask the guest for the id of their tenant; it stands on their overview.' },
    { name: 'clusters_max', label: 'Clusters at most', kind: 'whole', required: true, initial: '5', min: 0, max: 1000 },
    { name: 'topics_max', label: 'Topics at most', kind: 'whole', required: true, initial: '100', min: 0, max: 100_000 },
    { name: 'partitions_max', label: 'Partitions at most', kind: 'whole', required: true, initial: '1000', min: 0, max: 1_000_000 },
    { name: 'compute_units_max', label: 'Compute units at most', kind: 'whole', initial: '0', min: 0, max: 1000, advanced: true, hint: "For the guest's jobs: half a processor and 512 MiB each." },
    labelsField(),
  ]
}
