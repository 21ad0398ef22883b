// Reads of broker pools.
import { useList } from '../../api/hooks.ts'

export const useBrokerPools = (filters: { data_plane?: string } = {}) => useList('/v1/broker-pools', filters)
