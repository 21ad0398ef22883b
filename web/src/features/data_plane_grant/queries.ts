// Reads of grants, offered and received.
import { useAll, useList, useObject } from '../../api/hooks.ts'

export const useGrants = (direction: 'offered' | 'received') => useList('/v1/data-plane-grants', { direction })
export const useReceivedGrants = () => useAll('/v1/data-plane-grants', { direction: 'received' })
export const useGrant = (id: string | undefined) => useObject('/v1/data-plane-grants', id)
