// Around every page: who is signed in, which tenant is in view, the frame.
import { Outlet, useLocation } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { SignIn } from '../features/session/sign-in.tsx'
import { Failure, Skeleton } from '../ui/states.tsx'
import { Toasts } from '../ui/toast.tsx'
import { Connection } from './connection.tsx'
import { INVITATION_PATH } from './invitation.ts'
import { useAddress } from './search.ts'
import { SessionProvider, useMember, useSessionDoor } from './session.tsx'
import { Shell } from './shell.tsx'
import { TenantGate } from './tenant.tsx'

const Invited = lazy(async () => ({ default: (await import('../features/share/invitation-page.tsx')).InvitedPage }))

export function Root() {
  return (
    <SessionProvider>
      <Toasts>
        <Gate />
      </Toasts>
    </SessionProvider>
  )
}

/** The address stays as it was while somebody signs in, so that a link sent to them still leads there. */
function Gate() {
  const { state, again } = useSessionDoor()
  const invited = useLocation().pathname === INVITATION_PATH
  switch (state.at) {
    case 'loading': return <div className="gate"><Skeleton lines={3} label="Reading your session" /></div>
    case 'failed': return <main className="gate"><Failure error={state.error} again={again} /></main>
    case 'out': {
      const signIn = <SignIn expired={state.expired} />
      // An invitation can be looked at before one signs in.
      return invited ? <Suspense fallback={<div className="gate"><Skeleton lines={3} label="Reading the invitation" /></div>}><Invited signIn={signIn} /></Suspense> : signIn
    }
    case 'in': return <SignedIn />
  }
}

function SignedIn() {
  const { id, tenant: home } = useMember()
  const chosen = useAddress().tenant
  // A member of a tenant has no other to choose.
  const tenant = home ? undefined : chosen
  return (
    <Connection key={`${id}/${tenant ?? ''}`} tenant={tenant}>
      <Shell>
        <TenantGate>
          <Outlet />
        </TenantGate>
      </Shell>
    </Connection>
  )
}
