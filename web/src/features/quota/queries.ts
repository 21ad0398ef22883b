// Reads of quotas.
import { useList, useObject, useRead } from '../../api/hooks.ts'
import type { QuotaUsage } from '../../api/types.ts'

export const useQuotas = (filters: { cluster?: string } = {}) => useList('/v1/quotas', filters)
export const useQuota = (id: string | undefined) => useObject('/v1/quotas', id)

const USAGE_EVERY_MS = 5_000
/** Agents report every few seconds. */
export const useQuotaUsage = (id: string) => useRead<QuotaUsage>('/v1/quotas/{id}/usage', { id }, { every: USAGE_EVERY_MS })
