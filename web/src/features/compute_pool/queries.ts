// Reads of compute pools; what jobs hold changes without an event.
import { useList, useObject } from '../../api/hooks.ts'

const AGAIN_MS = 10_000

export const useComputePools = () => useList('/v1/compute-pools', undefined, { every: AGAIN_MS })
export const useComputePool = (id: string | undefined) => useObject('/v1/compute-pools', id, { every: AGAIN_MS })
