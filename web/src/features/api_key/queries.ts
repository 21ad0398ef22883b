// Reads of API keys.
import { useList, useObject } from '../../api/hooks.ts'

export const useApiKeys = (filters: { service_account?: string; cluster?: string } = {}) => useList('/v1/api-keys', filters)
export const useApiKey = (id: string | undefined) => useObject('/v1/api-keys', id)
