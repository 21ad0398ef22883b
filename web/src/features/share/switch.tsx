// The tenant's switch: it gives and receives shares only once it says so.
import type { Sharing } from '../../api/types.ts'
import { useDialogInAddress } from '../../app/search.ts'
import { useTenantInView } from '../../app/tenant.tsx'
import { Button, LinkButton } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Facts, Section } from '../../ui/facts.tsx'
import type { Field } from '../../ui/form/fields.ts'
import { Empty, PartMissing, Skeleton } from '../../ui/states.tsx'
import { useToast } from '../../ui/toast.tsx'
import { useSharing } from './queries.ts'

const field = (name: keyof Sharing, label: string, yes: string, no: string, sharing: Sharing): Field => ({
  name, label, kind: 'select', required: true, initial: String(sharing[name]), parse: (text) => ({ ok: true, value: text === 'true' }),
  options: [{ value: 'true', label: yes }, { value: 'false', label: no }],
})

/** On the tenant's page. The switch is asked of the tenant in view. */
export function SharingSwitch({ tenant }: { tenant: string }) {
  const inView = useTenantInView() === tenant
  const sharing = useSharing(inView)
  const turn = useDialogInAddress('sharing')
  const say = useToast()
  return (
    <Section title="Stream sharing" note="Whether topics can be offered to other tenants, and taken from them. What is shared already goes on when it is turned off." actions={sharing.data && <Button onClick={turn.show}>Change</Button>}>
      {!inView && <div><LinkButton to="/tenants/$id" params={{ id: tenant }} search={{ tenant }}>Bring this tenant in view to see its switch</LinkButton></div>}
      {inView && sharing.isPending && <Skeleton lines={2} label="Reading the switch" />}
      {sharing.error && <PartMissing what="The switch" error={sharing.error} again={() => void sharing.refetch()} />}
      {sharing.data && (
        <>
          <Facts items={[['Gives', sharing.data.gives ? 'on: topics can be shared' : 'off'], ['Receives', sharing.data.receives ? 'on: shares can be taken' : 'off']]} />
          <ChangeDialog<Sharing>
            open={turn.open} title="Turn stream sharing on or off" act="Save"
            fields={[
              field('gives', 'Gives', 'On: offers topics to other tenants', 'Off: offers nothing', sharing.data),
              field('receives', 'Receives', 'On: takes what others offer', 'Off: takes nothing', sharing.data),
            ]}
            call={({ spec }) => ({ method: 'put', path: '/v1/sharing', body: spec })} onClose={turn.close} onDone={() => say('Stream sharing was changed')}
          />
        </>
      )}
    </Section>
  )
}

/** In the place of what the switch keeps away. */
export function SharingOff({ way }: { way: keyof Sharing }) {
  const tenant = useTenantInView()
  return (
    <Empty
      title={way === 'gives' ? 'Your tenant does not share yet' : 'Your tenant does not take shares yet'}
      action={tenant && <LinkButton to="/tenants/$id" params={{ id: tenant }} search={{ do: 'sharing' }} tone="primary">Turn it on</LinkButton>}
    >
      {way === 'gives' ? 'Offering topics to other tenants is off until a tenant administrator turns it on.' : 'What other tenants offer can be taken once a tenant administrator turns it on.'}
    </Empty>
  )
}
