// Reads of service accounts.
import { useList, useObject } from '../../api/hooks.ts'

export const useServiceAccounts = () => useList('/v1/service-accounts')
export const useServiceAccount = (id: string | undefined) => useObject('/v1/service-accounts', id)
