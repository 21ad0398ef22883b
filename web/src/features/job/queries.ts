// Reads of jobs; progress changes without an event.
import { useInfiniteQuery } from '@tanstack/react-query'
import { useApi, useList, useObject } from '../../api/hooks.ts'
import type { JobVersionList } from '../../api/types.ts'

const AGAIN_MS = 5_000

export const useJobs = (filters: { cluster?: string; compute_pool?: string } = {}) => useList('/v1/jobs', filters, { every: AGAIN_MS })
export const useJob = (id: string | undefined) => useObject('/v1/jobs', id, { every: AGAIN_MS })

/** The versions of a job, the newest first; read again when there is another. */
export function useJobVersions(id: string, latest: number) {
  const api = useApi()
  return useInfiniteQuery({
    queryKey: ['/v1/jobs', 'versions', id, latest],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }) => (await api.send<JobVersionList>({ method: 'get', path: '/v1/jobs/{id}/versions', id, signal, query: { page_size: '20', page_token: pageParam } })).data,
    getNextPageParam: (last) => last.metadata.next_page_token ?? undefined,
  })
}
