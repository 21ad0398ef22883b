// Reads of the overview: everything at a glance, each part on its own so that one failure hides nothing else.
import { useMemo } from 'react'
import { useAll, useRead } from '../../api/hooks.ts'
import { useCosts, useUsage } from '../cost/queries.ts'
import { viewOf } from '../cost/range.ts'
import { useAllDataPlanes } from '../data_plane/queries.ts'

export function useOverview() {
  return {
    environments: useAll('/v1/environments'),
    planes: useAllDataPlanes(),
    pools: useAll('/v1/broker-pools'),
    clusters: useAll('/v1/clusters'),
    topics: useAll('/v1/topics'),
    accounts: useAll('/v1/service-accounts'),
    bindings: useAll('/v1/role-bindings'),
    keys: useAll('/v1/api-keys'),
    received: useAll('/v1/data-plane-grants', { direction: 'received' }),
  }
}

export interface Quotas {
  data: { name: string; limit: number; used?: number }[]
}
export const useQuotas = () => useRead<Quotas>('/v1/service-quotas', {})

export function useLastDay(hour: number) {
  const query = useMemo(() => {
    const { start, end, granularity } = viewOf({ range: '24h' }, new Date(hour * 3_600_000))
    return { start, end, granularity, group_by: '' }
  }, [hour])
  return { costs: useCosts(query), usage: useUsage(query) }
}
