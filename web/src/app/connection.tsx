// The API as the tenant in view, its own query cache, and the event stream that keeps the cache true.
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createContext, use, useEffect, useState, type ReactNode } from 'react'
import { Api } from '../api/client.ts'
import { follow, type Event, type StreamHealth } from '../api/events.ts'
import { ApiContext } from '../api/hooks.ts'
import { isProblem, worthRetrying } from '../api/problem.ts'
import { kindNamed, kindOfId } from './kinds.ts'
import { useSessionDoor } from './session.tsx'

const HealthContext = createContext<StreamHealth>('connecting')
export const useStreamHealth = (): StreamHealth => use(HealthContext)

function newCache(expire: () => void): QueryClient {
  const onError = (error: unknown) => {
    if (isProblem(error, 401)) expire()
  }
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: { staleTime: 5000, retry: (count, error) => count < 2 && worthRetrying(error) },
    },
  })
}

/** Give it `key={tenant}`: nothing that was read for one tenant is kept for another. */
export function Connection({ tenant, children }: { tenant: string | undefined; children: ReactNode }) {
  const { csrf, expire } = useSessionDoor()
  const [api] = useState(() => new Api(csrf, tenant))
  const [cache] = useState(() => newCache(expire))
  const [health, setHealth] = useState<StreamHealth>('connecting')

  useEffect(() => {
    const end = new AbortController()
    const refresher = new Refresher(cache)
    void follow(api, end.signal, {
      onEvent: (event) => refresher.note(event),
      onGap: () => void cache.invalidateQueries(),
      onHealth: setHealth,
    })
    return () => {
      end.abort()
      refresher.stop()
    }
  }, [api, cache])

  return (
    <ApiContext value={api}>
      <QueryClientProvider client={cache}>
        <HealthContext value={health}>{children}</HealthContext>
      </QueryClientProvider>
    </ApiContext>
  )
}

const GATHER_MS = 250

/** An event says only what to read again; its own content is never shown. Bursts are gathered into one reading. */
class Refresher {
  private readonly paths = new Set<string>()
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly cache: QueryClient

  constructor(cache: QueryClient) {
    this.cache = cache
  }

  note(event: Event): void {
    const kind = kindOfEvent(event.data)
    if (!kind) return
    this.paths.add(kind.api)
    this.timer ??= setTimeout(() => this.flush(), GATHER_MS)
  }

  stop(): void {
    clearTimeout(this.timer)
  }

  private flush(): void {
    this.timer = undefined
    for (const path of [...this.paths, '/v1/audit-events']) void this.cache.invalidateQueries({ queryKey: [path] })
    this.paths.clear()
  }
}

function kindOfEvent(data: string) {
  try {
    const body = JSON.parse(data) as { kind?: string; id?: string; object?: { kind?: string; id?: string } | string }
    const inner = typeof body.object === 'object' ? body.object : undefined
    const id = inner?.id ?? (typeof body.object === 'string' ? body.object : body.id)
    return kindNamed(inner?.kind ?? body.kind ?? '') ?? (id ? kindOfId(id) : undefined)
  } catch {
    return undefined
  }
}
