// Reads of environments.
import { useList, useObject } from '../../api/hooks.ts'

export const useEnvironments = () => useList('/v1/environments')
export const useEnvironment = (id: string | undefined) => useObject('/v1/environments', id)
