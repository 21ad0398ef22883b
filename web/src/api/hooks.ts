// The query cache over the API. Features call these from their queries.ts; keys begin with the collection's path, so
// that an event about a kind finds everything to read again.
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query'
import { createContext, use } from 'react'
import type { Api, Call } from './client.ts'
import { noteOwn } from './own.ts'
import type { paths } from './schema'
import type { ItemOf, ListPath, ObjectOf, ObjectPath, OneOf, Plan, QueryOf } from './types.ts'

export const ApiContext = createContext<Api | undefined>(undefined)

export function useApi(): Api {
  const api = use(ApiContext)
  if (!api) throw new Error('useApi outside of its provider')
  return api
}

type Filters<P extends ListPath> = Omit<QueryOf<P>, 'page_size' | 'page_token'>
interface PageOf<T> {
  data: T[]
  metadata?: { next_page_token?: string | null; complete_until?: string | null }
}

export interface Rows<T> {
  rows: T[] | undefined
  error: Error | null
  loading: boolean
  updatedAt: number
  /** More rows are on the server than were read. */
  more: boolean
  readMore: () => void
  readingMore: boolean
  again: () => void
}

const PAGE_SIZE = '100'

/** `every`: read again after so many milliseconds, for what changes without an event, such as a heartbeat. */
interface ReadOptions {
  enabled?: boolean
  every?: number
  /** Other filters leave the rows that are shown until theirs have come. */
  keep?: boolean
}

/** A collection, page by page. */
export function useList<P extends ListPath>(path: P, filters?: Filters<P>, options?: ReadOptions): Rows<ItemOf<P>> {
  const api = useApi()
  const query = useInfiniteQuery({
    queryKey: [path, 'list', filters ?? {}],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }) => {
      const answer = await api.send<PageOf<ItemOf<P>>>({
        method: 'get', path, signal, query: { ...(filters as Record<string, string>), page_size: PAGE_SIZE, page_token: pageParam },
      })
      return answer.data
    },
    getNextPageParam: (last) => last.metadata?.next_page_token ?? undefined,
    enabled: options?.enabled ?? true,
    refetchInterval: options?.every ?? false,
    ...(options?.keep && { placeholderData: keepPreviousData }),
  })
  return {
    rows: query.data?.pages.flatMap((page) => page.data),
    error: query.error,
    loading: query.isPending,
    updatedAt: query.dataUpdatedAt,
    more: query.hasNextPage,
    readMore: () => void query.fetchNextPage(),
    readingMore: query.isFetchingNextPage,
    again: () => void query.refetch(),
  }
}

/** Up to 1,000 objects at once: for names of references and for choices in forms. */
export function useAll<P extends ListPath>(path: P, filters?: Filters<P>, options?: ReadOptions): UseQueryResult<ItemOf<P>[]> {
  const api = useApi()
  return useQuery({
    queryKey: [path, 'all', filters ?? {}],
    queryFn: async ({ signal }) => {
      const answer = await api.send<PageOf<ItemOf<P>>>({ method: 'get', path, signal, query: { ...(filters as Record<string, string>), page_size: '1000' } })
      return answer.data.data
    },
    enabled: options?.enabled ?? true,
    refetchInterval: options?.every ?? false,
  })
}

/** One object; read again every few seconds while the agent is still at work on it, in case the event stream is away. */
export function useObject<P extends ListPath>(path: P, id: string | undefined, options?: ReadOptions): UseQueryResult<ObjectOf<OneOf<P> & ObjectPath>> {
  const api = useApi()
  return useQuery({
    queryKey: [path, 'one', id],
    queryFn: async ({ signal }) => {
      const answer = await api.send<ObjectOf<OneOf<P> & ObjectPath>>({ method: 'get', path: `${path}/{id}` as OneOf<P> & ObjectPath, id, signal })
      return answer.data
    },
    enabled: id !== undefined,
    refetchInterval: (query) => (isSettled(query.state.data) ? (options?.every ?? false) : 4000),
  })
}

function isSettled(object: unknown): boolean {
  const phase = (object as { status?: { phase?: string } } | undefined)?.status?.phase
  return phase === undefined || !['PENDING', 'PROVISIONING', 'STOPPING', 'DELETING'].includes(phase)
}

/** Any other read. */
export function useRead<T>(path: keyof paths, call: { id?: string; params?: Record<string, string>; query?: Record<string, string | undefined> }, options?: ReadOptions): UseQueryResult<T> {
  const api = useApi()
  return useQuery({
    queryKey: [path, 'read', call],
    queryFn: async ({ signal }) => (await api.send<T>({ method: 'get', path, signal, ...call })).data,
    enabled: options?.enabled ?? true,
    refetchInterval: options?.every ?? false,
  })
}

/** Asks what a change would do, without doing it. */
export function usePlan<T = Plan>() {
  const api = useApi()
  return useMutation({
    mutationFn: async (call: Call) => (await api.send<T>({ ...call, query: { ...call.query, dry_run: 'true' } })).data,
  })
}

/** Makes a change; afterwards everything that may show it is read again. */
export function useChange<T>() {
  const api = useApi()
  const cache = useQueryClient()
  return useMutation({
    mutationFn: async (call: Call) => (await api.send<T>(call)).data,
    onSuccess: (answer) => {
      noteOwn(answer)
      return cache.invalidateQueries()
    },
  })
}
