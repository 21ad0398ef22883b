// Where an invitation leads: what is offered can be looked at by whoever has the token; taking it needs a tenant administrator.
import { useNavigate } from '@tanstack/react-router'
import { useState, type ReactNode } from 'react'
import { useApi, useChange } from '../../api/hooks.ts'
import { isProblem } from '../../api/problem.ts'
import type { ReceivedShare, SharePreview } from '../../api/types.ts'
import { forgetInvitation, invitationToken } from '../../app/invitation.ts'
import { useTenantInView } from '../../app/tenant.tsx'
import { Button } from '../../ui/button.tsx'
import { Mark } from '../../ui/icons.tsx'
import { PageHead } from '../../ui/list-page.tsx'
import { Empty, Failure, Skeleton } from '../../ui/states.tsx'
import { PreviewFacts, PreviewTopics, Terms } from './preview.tsx'
import { useInvitation, useSharing } from './queries.ts'
import { SharingOff } from './switch.tsx'

/** Nobody is signed in. */
export function InvitedPage({ signIn }: { signIn: ReactNode }) {
  const [signing, setSigning] = useState(false)
  if (signing) return signIn
  return (
    <main className="invited">
      <p className="sign-in-brand"><Mark /> Weir</p>
      <Invitation actions={() => <Button tone="primary" onClick={() => setSigning(true)}>Sign in to take it</Button>} />
    </main>
  )
}

/** Somebody is: the share becomes one of those that their tenant receives, and is accepted or declined there. */
export function ClaimPage() {
  const receives = useSharing().data?.receives !== false
  return <Invitation actions={() => receives && <Claim />} note={!receives && <SharingOff way="receives" />} />
}

function Invitation({ actions, note }: { actions: (preview: SharePreview) => ReactNode; note?: ReactNode }) {
  const [token] = useState(() => invitationToken())
  const { preview, error, again } = useInvitation(token)
  if (token === undefined) {
    return <><PageHead title="Invitation" /><Empty title="There is no invitation in this address">Open the whole link that you were given; what stands behind the # is needed.</Empty></>
  }
  if (isProblem(error, 404)) {
    return <><PageHead title="Invitation" /><Empty title="This invitation cannot be taken">It was taken, withdrawn or has run out. Ask whoever gave it to you to offer the share anew.</Empty></>
  }
  if (error !== undefined) return <><PageHead title="Invitation" /><Failure error={error} again={again} /></>
  if (!preview) return <><PageHead title="Invitation" /><Skeleton label="Reading the invitation" /></>
  return (
    <>
      <PageHead title={preview.spec.name} intro={`${preview.provider_name} offers to let your tenant read what is below. Nothing is copied, and you read it with your own keys and clients.`} actions={actions(preview)} />
      {note}
      <PreviewFacts preview={preview} />
      <PreviewTopics preview={preview} />
      <Terms text={preview.spec.terms} />
    </>
  )
}

function Claim() {
  const tenant = useTenantInView()
  const { tenant: chosen } = useApi()
  const navigate = useNavigate()
  const change = useChange<ReceivedShare>()
  const [key] = useState(() => crypto.randomUUID())
  const claim = () =>
    change.mutate({ method: 'post', path: '/v1/share-invitations/claim', body: { token: invitationToken() }, idempotencyKey: key }, {
      onSuccess: (share) => {
        forgetInvitation()
        // The token is used; its address need not be come back to.
        void navigate({ to: '/received-shares/$id', params: { id: share.id }, search: { tenant: chosen, do: 'accept' }, replace: true })
      },
    })
  return (
    <>
      {change.error && <Failure error={change.error} compact />}
      <Button tone="primary" busy={change.isPending} disabled={!tenant} onClick={claim}>{change.isPending ? 'Taking…' : 'Take it and decide'}</Button>
    </>
  )
}
