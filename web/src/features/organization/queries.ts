// Reads of organizations.
import { useList, useObject } from '../../api/hooks.ts'

export const useOrganizations = () => useList('/v1/organizations')
export const useOrganization = (id: string | undefined) => useObject('/v1/organizations', id)
