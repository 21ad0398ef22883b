// Reads of data planes.
import { useAll, useList, useObject } from '../../api/hooks.ts'
import type { DataPlane } from '../../api/types.ts'
import { useCluster } from '../cluster/queries.ts'

export const useDataPlanes = () => useList('/v1/data-planes')
export const useDataPlane = (id: string | undefined) => useObject('/v1/data-planes', id)

/** The data plane that serves a cluster, if it is the tenant's own: a granted place belongs to somebody else. */
export function useDataPlaneOfCluster(clusterId: string): DataPlane | undefined {
  const cluster = useCluster(clusterId)
  const pools = useAll('/v1/broker-pools')
  const planes = useAll('/v1/data-planes')
  const pool = pools.data?.find((p) => p.id === cluster.data?.spec.broker_pool)
  return planes.data?.find((p) => p.id === pool?.spec.data_plane)
}
