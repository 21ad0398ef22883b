// What a cluster is asked for.
import { useAll } from '../../api/hooks.ts'
import type { BrokerPool, DataPlaneGrant } from '../../api/types.ts'
import { labelsField, type Field, type Option } from '../../ui/form/fields.ts'
import { parseName } from '../../ui/form/parse.ts'

export function useClusterFields(): readonly Field[] {
  const environments = useAll('/v1/environments').data ?? []
  const pools = useAll('/v1/broker-pools').data ?? []
  const own = new Set(pools.map((p) => p.id))
  const attached = new Set(pools.filter((p) => p.spec.attached).map((p) => p.id))
  const grants = useAll('/v1/data-plane-grants', { direction: 'received' }).data ?? []
  return [
    { name: 'name', label: 'Name', kind: 'text', required: true, fixed: true, parse: parseName, hint: 'Part of every resource name below it; it never changes.' },
    { name: 'environment', label: 'Environment', kind: 'select', required: true, fixed: true, options: environments.map((e) => ({ value: e.id, label: e.spec.name })) },
    { name: 'broker_pool', label: 'Runs on', kind: 'select', required: true, fixed: true, options: poolOptions(pools, grants), hint: 'A broker pool of yours, or a place that another tenant granted you.' },
    {
      name: 'access', label: 'Clients come', kind: 'select', fixed: true, when: (texts) => own.has(texts.broker_pool ?? ''), parse: (text) => ({ ok: true, value: text === '' ? 'GATEWAY' : text }), print: (value) => (value === 'NATIVE' ? 'NATIVE' : ''),
      options: [{ value: 'NATIVE', label: 'Native: to the brokers themselves' }], hint: 'None: through the gateway. Native is cheaper, but has no pooled quotas, contracts, mounts or meters; one cluster of a broker pool; it never changes.',
    },
    {
      name: 'adopts', label: 'Names', kind: 'select', fixed: true, when: (texts) => attached.has(texts.broker_pool ?? ''), parse: (text) => ({ ok: true, value: text === 'own' }), print: (value) => (value ? 'own' : ''),
      options: [{ value: 'own', label: 'Adopts: the attached Kafka’s own topics and groups' }], hint: 'None: topics and groups that are made here, kept apart from what is there. One cluster of a broker pool adopts.',
    },
    labelsField(),
  ]
}

/** A granted pool is not among one's own; its name is the owner's, so the grant stands for it. */
export function poolOptions(pools: readonly BrokerPool[], grants: readonly DataPlaneGrant[]): Option[] {
  const own = pools.map((p) => ({ value: p.id, label: p.spec.name }))
  const granted = grants
    .filter((g) => g.status.phase === 'ACTIVE' && !own.some((o) => o.value === g.spec.broker_pool))
    .map((g) => ({ value: g.spec.broker_pool, label: `granted place …${g.spec.broker_pool.slice(-6)} (by …${(g.status.owner_tenant ?? '').slice(-6)})` }))
  return [...own, ...granted]
}
