// Reads of topics.
import { useList, useObject, useRead } from '../../api/hooks.ts'
import type { TopicExtent, TopicViolations } from '../../api/types.ts'

export const useTopics = (filters: { cluster?: string } = {}) => useList('/v1/topics', filters)
export const useTopic = (id: string | undefined) => useObject('/v1/topics', id)

const VIOLATIONS_EVERY_MS = 5_000
/** Agents report every few seconds. */
export const useViolations = (id: string) => useRead<TopicViolations>('/v1/topics/{id}/violations', { id }, { every: VIOLATIONS_EVERY_MS })

const EXTENT_EVERY_MS = 10_000
/** Asked of the agent each time: offsets and sizes never rest in the control plane. */
export const useExtent = (id: string, enabled: boolean) => useRead<TopicExtent>('/v1/topics/{id}/extent', { id }, { enabled, every: EXTENT_EVERY_MS })
