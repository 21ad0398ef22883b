// Reads of clusters.
import { useList, useObject } from '../../api/hooks.ts'

export const useClusters = (filters: { environment?: string; broker_pool?: string } = {}) => useList('/v1/clusters', filters)
export const useCluster = (id: string | undefined) => useObject('/v1/clusters', id)
