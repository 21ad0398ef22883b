// Reads of tenants.
import { useList, useObject } from '../../api/hooks.ts'

export const useTenantList = (filters: { organization?: string } = {}) => useList('/v1/tenants', filters)
export const useTenant = (id: string | undefined) => useObject('/v1/tenants', id)
