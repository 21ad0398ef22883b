// Reads of consumer groups: asked of the agent each time, kept nowhere.
import { useRead } from '../../api/hooks.ts'
import type { ConsumerGroupDetail, ConsumerGroupList } from '../../api/types.ts'

const EVERY_MS = 10_000
/** As many as one answer holds. */
export const GROUPS_MAX = 1000

export const useGroups = (cluster: string) =>
  useRead<ConsumerGroupList>('/v1/clusters/{id}/groups', { id: cluster, query: { page_size: String(GROUPS_MAX) } }, { every: EVERY_MS })

export const useGroup = (cluster: string, group: string) =>
  useRead<ConsumerGroupDetail>('/v1/clusters/{id}/groups/{group}', { id: cluster, params: { group } }, { every: EVERY_MS })
