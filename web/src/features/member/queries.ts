// Reads of members.
import { useList, useObject } from '../../api/hooks.ts'

export const useMembers = () => useList('/v1/members')
export const useMemberObject = (id: string | undefined) => useObject('/v1/members', id)
