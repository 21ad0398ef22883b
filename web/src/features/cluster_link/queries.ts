// Reads of cluster links; how far they are changes without an event.
import { useList, useObject } from '../../api/hooks.ts'

const AGAIN_MS = 5_000

export const useClusterLinks = () => useList('/v1/cluster-links', undefined, { every: AGAIN_MS })
export const useClusterLink = (id: string | undefined) => useObject('/v1/cluster-links', id, { every: AGAIN_MS })
