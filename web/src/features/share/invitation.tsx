// The invitation of a share: shown once, to be handed on.
import type { Share } from '../../api/types.ts'
import { Button } from '../../ui/button.tsx'
import { CodeBlock } from '../../ui/copyable.tsx'
import { Facts } from '../../ui/facts.tsx'
import { Moment, Until } from '../../ui/status.tsx'

export function NewInvitation({ share, close }: { share: Share; close: () => void }) {
  const { url, token, expires_at } = share.invitation ?? {}
  const { recipient } = share.spec
  return (
    <>
      <div className="dialog-main">
        <p className="warning">This is the only time that the invitation is shown. Nothing is mailed: copy it and hand it on yourself.</p>
        <div data-secret><CodeBlock text={url ?? token ?? ''} label="invitation" wrap /></div>
        <Facts items={[
          ['For', recipient.kind === 'EMAIL' ? `the member who signs in as ${recipient.email}` : 'the first tenant that takes it'],
          ['Can be taken', 'once'],
          expires_at !== undefined && ['Until', <span key="u"><Moment at={expires_at} precision="minute" /> (<Until at={expires_at} />)</span>],
        ]} />
        <p className="hint">Lost? Offer the share again from its page; this invitation is then void.</p>
      </div>
      <footer className="dialog-foot"><Button tone="primary" onClick={close}>Done</Button></footer>
    </>
  )
}
