// Reads of data planes.
import { useAll, useList, useObject } from '../../api/hooks.ts'
import type { DataPlane } from '../../api/types.ts'
import { useCluster } from '../cluster/queries.ts'

// A heartbeat is no event, and silence even less: whether an agent is heard is asked again.
const HEARD = { every: 10_000 }

export const useDataPlanes = () => useList('/v1/data-planes', undefined, HEARD)
export const useAllDataPlanes = () => useAll('/v1/data-planes', undefined, HEARD)
export const useDataPlane = (id: string | undefined) => useObject('/v1/data-planes', id, HEARD)

/** The data plane that serves a cluster, if it is the tenant's own: a granted place belongs to somebody else. */
export function useDataPlaneOfCluster(clusterId: string): DataPlane | undefined {
  const cluster = useCluster(clusterId)
  const pools = useAll('/v1/broker-pools')
  const planes = useAllDataPlanes()
  const pool = pools.data?.find((p) => p.id === cluster.data?.spec.broker_pool)
  return planes.data?.find((p) => p.id === pool?.spec.data_plane)
}
