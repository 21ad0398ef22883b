// Reads of jobs; progress changes without an event.
import { useInfiniteQuery } from '@tanstack/react-query'
import { useApi, useList, useObject } from '../../api/hooks.ts'
import type { JobScalingDecisionList, JobVersionList } from '../../api/types.ts'

const AGAIN_MS = 5_000

export const useJobs = (filters: { cluster?: string; compute_pool?: string } = {}) => useList('/v1/jobs', filters, { every: AGAIN_MS })
export const useJob = (id: string | undefined) => useObject('/v1/jobs', id, { every: AGAIN_MS })

/** The versions of a job, the newest first; read again when there is another. */
export const useJobVersions = (id: string, latest: number) => usePages<JobVersionList>('/v1/jobs/{id}/versions', id, latest)
/** What was decided of its workers, the newest first. */
export const useJobDecisions = (id: string) => usePages<JobScalingDecisionList>('/v1/jobs/{id}/scaling-decisions', id, 0)

function usePages<List extends JobVersionList | JobScalingDecisionList>(path: '/v1/jobs/{id}/versions' | '/v1/jobs/{id}/scaling-decisions', id: string, mark: number) {
  const api = useApi()
  return useInfiniteQuery({
    queryKey: ['/v1/jobs', path, id, mark],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }) => (await api.send<List>({ method: 'get', path, id, signal, query: { page_size: '20', page_token: pageParam } })).data,
    getNextPageParam: (last) => last.metadata.next_page_token ?? undefined,
  })
}
