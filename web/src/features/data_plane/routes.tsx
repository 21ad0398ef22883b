// Data planes: the fleet, installing one, and one with its agent, pools and grants.
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import type { DataPlane, Enrollment } from '../../api/types.ts'
import { kindNamed } from '../../app/kinds.ts'
import { useDialogInAddress } from '../../app/search.ts'
import { ActDialog } from '../../ui/act-dialog.tsx'
import { Button } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Copyable } from '../../ui/copyable.tsx'
import { Crumb, Crumbs } from '../../ui/crumbs.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Facts, Section } from '../../ui/facts.tsx'
import { formatCount } from '../../ui/format.ts'
import { Icon } from '../../ui/icons.tsx'
import { Labels } from '../../ui/labels.tsx'
import { Collection, PageHead } from '../../ui/list-page.tsx'
import { ObjectLink } from '../../ui/object-link.tsx'
import { ObjectPage } from '../../ui/object-page.tsx'
import { Age, Moment, Phase } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { BrokerPools } from '../broker_pool/pools.tsx'
import { GrantsOfDataPlane } from '../data_plane_grant/grants-of-data-plane.tsx'
import { Enrol, Progress, caughtUp, type CreatedDataPlane } from './enrol.tsx'
import { dataPlaneFields } from './forms.ts'
import { useDataPlane, useDataPlanes } from './queries.ts'

const KIND = kindNamed('DataPlane')!

const columns: readonly Column<DataPlane>[] = [
  { key: 'name', label: 'Name', cell: (p) => <ObjectLink id={p.id} name={p.spec.name} />, sort: (p) => p.spec.name },
  { key: 'phase', label: 'Phase', cell: (p) => <Phase phase={p.status.phase} title={p.status.message ?? undefined} />, sort: (p) => p.status.phase },
  { key: 'seen', label: 'Last heard', cell: (p) => <Age at={p.status.last_seen_at} />, sort: (p) => p.status.last_seen_at ?? undefined },
  { key: 'gateways', label: 'Gateways', align: 'right', cell: (p) => formatCount(p.status.gateways_live), sort: (p) => p.status.gateways_live },
  { key: 'wish', label: 'Wishes', cell: (p) => <Generations plane={p} /> },
  { key: 'version', label: 'Agent', cell: (p) => p.status.agent_version ?? <span className="muted">none</span>, sort: (p) => p.status.agent_version ?? undefined },
  { key: 'kafka', label: 'Kafka', cell: (p) => p.status.kafka_version ?? <span className="muted">none</span> },
]

function Generations({ plane }: { plane: DataPlane }) {
  const { desired_generation: wished, applied_generation: applied } = plane.status
  if (caughtUp(applied, wished)) return <>all carried out</>
  if (typeof applied !== 'number') return <span className="muted">none carried out yet</span>
  return <span title={`version ${applied} of ${wished}`}>{formatCount((wished ?? 0) - applied)} behind</span>
}

export function DataPlanesPage() {
  const create = useDialogInAddress('create')
  const button = <Button tone="primary" icon="plus" onClick={create.show}>Install data plane</Button>
  return (
    <>
      <PageHead title="Data planes" intro="Your networks. An agent in each dials out, runs the brokers and the gateway, and reports metadata only; records never leave." actions={button} />
      <Collection
        list={useDataPlanes()} caption="Data planes" columns={columns} noun={['data plane', 'data planes']} text={(p) => `${p.spec.name} ${p.id}`}
        empty={{ title: 'No data planes yet', text: 'Install an agent with one command. It needs an outbound connection only; nothing dials in.', action: button }}
      />
      <ChangeDialog<CreatedDataPlane>
        open={create.open} title="Install a data plane" act="Create data plane" fields={dataPlaneFields}
        call={() => ({ method: 'post', path: '/v1/data-planes' })} onClose={create.close} onDone={() => undefined}
        after={(created, close) => (
          <>
            <div className="dialog-main">
              {created.enrollment ? <Enrol id={created.id} enrollment={created.enrollment} /> : <p>Created. Make an enrolment command on its page.</p>}
            </div>
            <footer className="dialog-foot"><Button tone="primary" onClick={close}>Done</Button></footer>
          </>
        )}
      />
    </>
  )
}

export function DataPlanePage() {
  const { id } = useParams({ strict: false })
  const [enrollment, setEnrollment] = useState<Enrollment | undefined>(undefined)
  const enrol = useDialogInAddress('enrol')
  const revoke = useDialogInAddress('revoke')
  return (
    <ObjectPage
      kind={KIND} query={useDataPlane(id)} fields={dataPlaneFields}
      deletes="The agent is told nothing more. It must hold no broker pools."
      crumbs={() => <Crumbs><Crumb to="/data-planes">Data planes</Crumb></Crumbs>}
      menu={() => [
        { label: 'New enrolment command…', icon: 'key', onSelect: enrol.show },
        { label: 'Cut off the agent…', icon: 'alert', danger: true, onSelect: revoke.show },
      ]}
      actions={(plane) => !plane.status.enrolled_at && <Button tone="primary" onClick={enrol.show}>Enrolment command</Button>}
    >
      {(plane) => (
        <>
          {!plane.status.enrolled_at && <Section title="Installation"><Progress plane={plane} /></Section>}
          <AgentFacts plane={plane} />
          <BrokerPools dataPlane={plane.id} />
          <GrantsOfDataPlane dataPlane={plane.id} />
          <ActDialog<Enrollment>
            open={enrol.open && !enrollment} title="New enrolment command" act="Make command"
            call={{ method: 'post', path: '/v1/data-planes/{id}/enrollment-tokens', id: plane.id }}
            onClose={enrol.close} onDone={setEnrollment}
          >
            <p>It works once, for half an hour. Earlier commands that were not used stop working.</p>
          </ActDialog>
          <Dialog open={!!enrollment} title="Enrolment command" keepOpen onClose={() => setEnrollment(undefined)}>
            <div className="dialog-main">{enrollment && <Enrol id={plane.id} enrollment={enrollment} />}</div>
            <footer className="dialog-foot"><Button tone="primary" onClick={() => setEnrollment(undefined)}>Done</Button></footer>
          </Dialog>
          <ActDialog
            open={revoke.open} title="Cut off the agent" act="Cut off" danger typed={plane.spec.name}
            call={{ method: 'post', path: '/v1/data-planes/{id}/revoke', id: plane.id }} onClose={revoke.close} onDone={() => undefined}
          >
            <p className="warning"><Icon name="alert" /> Its certificate is refused from now on. What it runs goes on without us until it is enrolled again.</p>
          </ActDialog>
        </>
      )}
    </ObjectPage>
  )
}

function AgentFacts({ plane }: { plane: DataPlane }) {
  const { status, spec, metadata } = plane
  return (
    <Section title="Agent">
      <Facts items={[
        ['Connection', status.connected ? 'connected' : status.enrolled_at ? 'silent' : 'never connected'],
        ['Last heard', <Age key="s" at={status.last_seen_at} />],
        ['Enrolled', status.enrolled_at ? <Moment key="e" at={status.enrolled_at} /> : 'not yet'],
        ['Gateways live', formatCount(status.gateways_live)],
        ['Agent version', status.agent_version ?? 'unknown'],
        ['Kafka version', status.kafka_version ?? 'unknown'],
        !!status.link_key && ['Reads others with', <Copyable key="r" text={status.link_key} label="Copy the key that it reads other data planes with" />],
        !!status.gateway_key && ['Gateways show', <Copyable key="g" text={status.gateway_key} label="Copy the key that its gateways show" />],
        ['Wished version', formatCount(status.desired_generation)],
        ['Accepted', formatCount(status.accepted_generation)],
        ['Carried out', formatCount(status.applied_generation)],
        ['Description', spec.description || <span className="muted">none</span>],
        ['Labels', <Labels key="l" labels={metadata.labels} />],
      ]} />
    </Section>
  )
}
