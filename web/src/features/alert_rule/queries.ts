// Reads of alert rules; a state changes by an event, a value without one.
import { useList, useObject } from '../../api/hooks.ts'

const AGAIN_MS = 5_000

export const useAlertRules = () => useList('/v1/alert-rules', undefined, { every: AGAIN_MS })
export const useAlertRule = (id: string | undefined) => useObject('/v1/alert-rules', id, { every: AGAIN_MS })
