// Reads of measured service levels; they are measured once a minute.
import { useRead } from '../../api/hooks.ts'

export interface Amount {
  value: number
  unit: string
}
export interface Budget {
  window_days: number
  allowed_minutes: number
  spent_minutes: number
  /** Minutes that nobody reported on. */
  unknown_minutes?: number
  remaining_ratio: number
}
export interface ServiceLevel {
  name: string
  /** Null where the promise cannot be read. */
  objective?: Amount | null
  /** Not told of another tenant's. */
  contract_id?: string
  version?: number
  state: string
  /** Why it is not known, as a word and as a sentence. */
  reason?: string | null
  message?: string | null
  /** How many of the minutes have to be good. */
  target_percent?: number | null
  measured?: Amount | null
  measured_at?: string | null
  budget?: Budget | null
}
interface ServiceLevelList {
  levels: ServiceLevel[]
}

const AGAIN_MS = 20_000
export const useServiceLevels = (topic: string) => useRead<ServiceLevelList>('/v1/topics/{id}/service-levels', { id: topic }, { every: AGAIN_MS })
