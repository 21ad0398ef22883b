// The broker pools of one data plane, on its page.
import { useState } from 'react'
import type { BrokerPool } from '../../api/types.ts'
import { ActDialog } from '../../ui/act-dialog.tsx'
import { Button } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Section } from '../../ui/facts.tsx'
import { formatCount } from '../../ui/format.ts'
import { Collection } from '../../ui/list-page.tsx'
import { Copyable } from '../../ui/copyable.tsx'
import { Menu } from '../../ui/menu.tsx'
import { Icon } from '../../ui/icons.tsx'
import { shortId } from '../../app/kinds.ts'
import { useDialogInAddress } from '../../app/search.ts'
import { Age, Phase } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { attachBody, attachFields } from './attach.ts'
import { poolFields } from './forms.ts'
import { useBrokerPools } from './queries.ts'

export function BrokerPools({ dataPlane }: { dataPlane: string }) {
  const list = useBrokerPools({ data_plane: dataPlane })
  const create = useDialogInAddress('create-pool')
  const attach = useDialogInAddress('attach-pool')
  const [doomed, setDoomed] = useState<BrokerPool | undefined>(undefined)
  const button = <><Button icon="plus" onClick={create.show}>Create broker pool</Button> <Button onClick={attach.show}>Attach a Kafka</Button></>
  const columns: Column<BrokerPool>[] = [
    { key: 'name', label: 'Name', cell: (p) => <strong>{p.spec.name}</strong>, sort: (p) => p.spec.name },
    { key: 'phase', label: 'Phase', cell: (p) => <Phase phase={p.status.phase} title={p.status.message ?? undefined} /> },
    { key: 'brokers', label: 'Brokers ready', align: 'right', cell: (p) => (p.spec.attached ? `${formatCount(p.status.brokers_ready)}, attached` : `${formatCount(p.status.brokers_ready)} of ${formatCount(p.spec.brokers)}`) },
    { key: 'id', label: 'Id', cell: (p) => <Copyable text={p.id} shown={shortId(p.id)} label="Copy broker pool id" /> },
    { key: 'created', label: 'Created', cell: (p) => <Age at={p.metadata.created_at} /> },
    { key: 'act', label: 'Actions', unlabelled: true, cell: (p) => <Menu label={`Actions for ${p.spec.name}`} button={<Icon name="more" />} items={[{ label: 'Delete broker pool…', danger: true, onSelect: () => setDoomed(p) }]} /> },
  ]
  return (
    <Section title="Broker pools" actions={button} note="Each pool is one physical Kafka cluster: one that the agent runs, or one of yours that it is attached to. Logical clusters share it.">
      <Collection
        list={list} caption="Broker pools" columns={columns} noun={['broker pool', 'broker pools']} text={(p) => `${p.spec.name} ${p.id}`}
        empty={{ title: 'No broker pools yet', text: 'Create one, and the agent starts Kafka inside your network.', action: button }}
      />
      <ChangeDialog
        open={create.open} title="Create a broker pool" act="Create broker pool" fields={poolFields(dataPlane)}
        call={() => ({ method: 'post', path: '/v1/broker-pools' })} onClose={create.close} onDone={() => undefined}
      />
      <ChangeDialog
        open={attach.open} title="Attach a Kafka" act="Attach" fields={attachFields(dataPlane)}
        intro={<p className="note">A Kafka that exists and stays yours. Nothing in it is changed by attaching it.</p>}
        call={(body) => ({ method: 'post', path: '/v1/broker-pools', body: attachBody(body) })} onClose={attach.close} onDone={() => undefined}
      />
      {doomed && (
        <ActDialog
          open title={`Delete ${doomed.spec.name}`} act="Delete broker pool" danger typed={doomed.spec.name}
          call={{ method: 'delete', path: '/v1/broker-pools/{id}', id: doomed.id, generation: doomed.metadata.generation }}
          onClose={() => setDoomed(undefined)} onDone={() => undefined}
        >
          <p className="warning"><Icon name="alert" /> {doomed.spec.attached ? 'It is let go: nothing in that Kafka changes.' : 'Its brokers are stopped and their data is destroyed.'} It must hold no clusters.</p>
        </ActDialog>
      )}
    </Section>
  )
}
