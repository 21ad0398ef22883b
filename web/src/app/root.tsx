// Around every page: who is signed in, which tenant is in view, the frame.
import { Outlet } from '@tanstack/react-router'
import { SignIn } from '../features/session/sign-in.tsx'
import { Failure, Skeleton } from '../ui/states.tsx'
import { Toasts } from '../ui/toast.tsx'
import { Connection } from './connection.tsx'
import { useAddress } from './search.ts'
import { SessionProvider, useMember, useSessionDoor } from './session.tsx'
import { Shell } from './shell.tsx'
import { TenantGate } from './tenant.tsx'

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
  switch (state.at) {
    case 'loading': return <div className="gate"><Skeleton lines={3} label="Reading your session" /></div>
    case 'failed': return <main className="gate"><Failure error={state.error} again={again} /></main>
    case 'out': return <SignIn expired={state.expired} />
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
