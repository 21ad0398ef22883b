// Reads of role bindings.
import { useList, useObject } from '../../api/hooks.ts'

export const useRoleBindings = (filters: { principal?: string } = {}) => useList('/v1/role-bindings', filters)
export const useRoleBinding = (id: string | undefined) => useObject('/v1/role-bindings', id)
