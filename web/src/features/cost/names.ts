// Names for the ids that reports group by.
import { useReach } from '../../app/session.tsx'
import { useTenantInView } from '../../app/tenant.tsx'
import { shortId } from '../../app/kinds.ts'
import { words } from '../../ui/format.ts'
import { useNames } from '../../ui/object-link.tsx'
import type { Group, Row } from './report.ts'

export type NameOf = (group: Group, id: string | undefined) => string

export function useGroupNames(): NameOf {
  const reach = useReach()
  const inTenant = { enabled: useTenantInView() !== undefined }
  const above = { enabled: reach !== 'tenant' }
  const by: Record<Exclude<Group, 'direction'>, (id: string | undefined) => string | undefined> = {
    organization: useNames('/v1/organizations', { enabled: reach === 'operator' }),
    tenant: useNames('/v1/tenants', above),
    environment: useNames('/v1/environments', inTenant),
    cluster: useNames('/v1/clusters', inTenant),
    topic: useNames('/v1/topics', inTenant),
    principal: useNames('/v1/service-accounts', inTenant),
  }
  return (group, id) => {
    if (!id) return 'not known'
    if (group === 'direction') return id === 'PRODUCE' ? 'produced' : id === 'FETCH' ? 'consumed' : words(id)
    return by[group](id) ?? shortId(id)
  }
}

export function labelOf(keys: Row['keys'] | undefined, groups: readonly Group[], name: NameOf): string {
  if (!keys) return 'all others'
  return groups.length === 0 ? 'all' : groups.map((g) => name(g, keys[g])).join(' · ')
}
