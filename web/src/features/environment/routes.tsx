// Environments: the list, and one with its clusters.
import { useParams } from '@tanstack/react-router'
import type { Environment } from '../../api/types.ts'
import { kindNamed } from '../../app/kinds.ts'
import { useDialogInAddress } from '../../app/search.ts'
import { Button, LinkButton } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Facts, Section } from '../../ui/facts.tsx'
import { Collection, PageHead } from '../../ui/list-page.tsx'
import { ObjectLink } from '../../ui/object-link.tsx'
import { ObjectPage } from '../../ui/object-page.tsx'
import { Age, Moment, Phase } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { Crumb, Crumbs } from '../../ui/crumbs.tsx'
import { Labels } from '../../ui/labels.tsx'
import { ClusterTable } from '../cluster/cluster-table.tsx'
import { environmentFields } from './forms.ts'
import { useEnvironment, useEnvironments } from './queries.ts'

const KIND = kindNamed('Environment')!

const columns: readonly Column<Environment>[] = [
  { key: 'name', label: 'Name', cell: (e) => <ObjectLink id={e.id} name={e.spec.name} />, sort: (e) => e.spec.name },
  { key: 'description', label: 'Description', cell: (e) => e.spec.description || <span className="muted">none</span> },
  { key: 'labels', label: 'Labels', cell: (e) => <Labels labels={e.metadata.labels} /> },
  { key: 'phase', label: 'Phase', cell: (e) => <Phase phase={e.status.phase} />, sort: (e) => e.status.phase },
  { key: 'created', label: 'Created', cell: (e) => <Age at={e.metadata.created_at} />, sort: (e) => e.metadata.created_at },
]

export function EnvironmentsPage() {
  const list = useEnvironments()
  const create = useDialogInAddress('create')
  const button = <Button tone="primary" icon="plus" onClick={create.show}>Create environment</Button>
  return (
    <>
      <PageHead title="Environments" intro="An environment keeps clusters that belong together, such as prod and test. Roles can be given on a whole environment." actions={button} />
      <Collection
        list={list} caption="Environments" columns={columns} noun={['environment', 'environments']}
        text={(e) => `${e.spec.name} ${e.spec.description ?? ''} ${e.id}`}
        empty={{ title: 'No environments yet', text: 'Begin with one, such as dev; clusters and topics go into it.', action: button }}
      />
      <ChangeDialog
        open={create.open} title="Create an environment" act="Create environment" fields={environmentFields}
        call={() => ({ method: 'post', path: '/v1/environments' })} onClose={create.close} onDone={() => undefined}
      />
    </>
  )
}

export function EnvironmentPage() {
  const { id } = useParams({ strict: false })
  return (
    <ObjectPage
      kind={KIND} query={useEnvironment(id)} fields={environmentFields}
      deletes="The environment must be empty: delete its clusters first."
      crumbs={() => <Crumbs><Crumb to="/environments">Environments</Crumb></Crumbs>}
    >
      {(environment) => (
        <>
          <Facts items={[
            ['Description', environment.spec.description || <span className="muted">none</span>],
            ['Labels', <Labels key="l" labels={environment.metadata.labels} />],
            ['Resource name', <code key="r">{environment.metadata.resource_name}</code>],
            ['Created', <Moment key="c" at={environment.metadata.created_at} />],
          ]} />
          <Section title="Clusters" actions={<LinkButton to="/clusters" search={{ do: 'create', environment: environment.id }} icon="plus">Create cluster</LinkButton>}>
            <ClusterTable environment={environment.id} />
          </Section>
        </>
      )}
    </ObjectPage>
  )
}
