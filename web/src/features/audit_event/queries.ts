// Reads of the audit trail.
import { useList } from '../../api/hooks.ts'

export interface AuditFilters {
  kind?: string
  object_id?: string
  principal?: string
  action?: string
}

export const useAuditEvents = (filters: AuditFilters) => useList('/v1/audit-events', filters)
