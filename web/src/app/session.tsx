// Who is signed in. The cookie is http-only; the CSRF token lives in memory and is read again after a reload.
import { createContext, use, useCallback, useEffect, useMemo, useState, type ReactNode } from 'react'
import { Api, CsrfToken } from '../api/client.ts'
import { isProblem } from '../api/problem.ts'
import type { Session } from '../api/types.ts'

export type SessionState =
  | { at: 'loading' }
  | { at: 'out'; expired: boolean }
  | { at: 'in'; session: Session }
  | { at: 'failed'; error: unknown }

interface SessionDoor {
  state: SessionState
  csrf: CsrfToken
  signIn: (email: string, password: string) => Promise<void>
  signOut: () => Promise<void>
  /** The server no longer knows this session. */
  expire: () => void
  again: () => void
}

const SessionContext = createContext<SessionDoor | undefined>(undefined)

export function useSessionDoor(): SessionDoor {
  const door = use(SessionContext)
  if (!door) throw new Error('useSessionDoor outside of its provider')
  return door
}

export function useMember(): Session['member'] {
  const { state } = useSessionDoor()
  if (state.at !== 'in') throw new Error('nobody is signed in')
  return state.session.member
}

/** How far a member reaches: an operator over everything, an organization's admin over its tenants, others over their own. */
export function useReach(): 'operator' | 'organization' | 'tenant' {
  const { tenant, organization } = useMember()
  if (tenant) return 'tenant'
  return organization ? 'organization' : 'operator'
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const [csrf] = useState(() => new CsrfToken())
  const [api] = useState(() => new Api(csrf))
  const [state, setState] = useState<SessionState>({ at: 'loading' })

  const read = useCallback(async () => {
    try {
      const { data } = await api.send<Session>({ method: 'get', path: '/v1/sessions/current' })
      csrf.keep(data.csrf_token)
      setState({ at: 'in', session: data })
    } catch (error) {
      setState(isProblem(error, 401) ? { at: 'out', expired: false } : { at: 'failed', error })
    }
  }, [api, csrf])

  useEffect(() => {
    // Reading the session is the first thing that the console does; it ends in a state either way.
    // eslint-disable-next-line react-hooks/set-state-in-effect
    void read()
  }, [read])

  const door = useMemo<SessionDoor>(() => ({
    state,
    csrf,
    signIn: async (email, password) => {
      const { data } = await api.send<Session>({ method: 'post', path: '/v1/sessions', body: { email, password } })
      csrf.keep(data.csrf_token)
      setState({ at: 'in', session: data })
    },
    signOut: async () => {
      await api.send({ method: 'delete', path: '/v1/sessions/current' })
      csrf.keep(undefined)
      setState({ at: 'out', expired: false })
    },
    expire: () => setState((old) => (old.at === 'in' ? { at: 'out', expired: true } : old)),
    again: () => {
      setState({ at: 'loading' })
      void read()
    },
  }), [state, csrf, api, read])

  return <SessionContext value={door}>{children}</SessionContext>
}
