// Clusters: the list, and one with its topics, keys and how to connect.
import { useParams } from '@tanstack/react-router'
import { kindNamed } from '../../app/kinds.ts'
import { useAddress, useDialogInAddress } from '../../app/search.ts'
import type { Cluster } from '../../api/types.ts'
import { Button, LinkButton } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Copyable } from '../../ui/copyable.tsx'
import { Crumb, Crumbs, ObjectCrumb } from '../../ui/crumbs.tsx'
import { Facts, Section, Tabs } from '../../ui/facts.tsx'
import { Labels } from '../../ui/labels.tsx'
import { PageHead } from '../../ui/list-page.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { ObjectPage } from '../../ui/object-page.tsx'
import { Moment } from '../../ui/status.tsx'
import { KeyTable } from '../api_key/key-table.tsx'
import { AdoptionTab } from '../adoption/adoption.tsx'
import { Connections } from '../connection/connections.tsx'
import { GroupTable } from '../consumer_group/group-table.tsx'
import { TopicTable } from '../topic/topic-table.tsx'
import { accessText, isNative, NativeNote } from './access.tsx'
import { ClusterTable } from './cluster-table.tsx'
import { Connect } from './connect.tsx'
import { useClusterFields } from './forms.ts'
import { useCluster } from './queries.ts'

const KIND = kindNamed('Cluster')!

export function ClustersPage() {
  const create = useDialogInAddress('create')
  const { environment } = useAddress()
  const fields = useClusterFields()
  const button = <Button tone="primary" icon="plus" onClick={create.show}>Create cluster</Button>
  return (
    <>
      <PageHead title="Clusters" intro="Logical Kafka clusters. Clients see an ordinary Kafka cluster; several of them share brokers without seeing each other." actions={button} />
      <ClusterTable action={button} />
      <ChangeDialog
        open={create.open} title="Create a cluster" act="Create cluster" fields={fields} initial={environment ? { environment } : undefined}
        call={() => ({ method: 'post', path: '/v1/clusters' })} onClose={create.close} onDone={() => undefined}
      />
    </>
  )
}

export function ClusterPage() {
  const { id } = useParams({ strict: false })
  const query = useCluster(id)
  const environmentName = useNames('/v1/environments')
  const fields = useClusterFields()
  return (
    <ObjectPage
      kind={KIND} query={query} fields={fields}
      deletes="The cluster must be empty: delete its topics first. Clients lose their address."
      crumbs={(c) => <Crumbs><Crumb to="/environments">Environments</Crumb><ObjectCrumb id={c.spec.environment} name={environmentName(c.spec.environment)} /></Crumbs>}
    >
      {(cluster) => (
        <Tabs
          label={`Parts of cluster ${cluster.spec.name}`}
          tabs={[
            { key: 'topics', label: 'Topics', content: () => <Topics cluster={cluster} /> },
            { key: 'groups', label: 'Groups', content: () => <Section title="Consumer groups" note="Asked of the data plane’s agent when you look."><GroupTable cluster={cluster.id} /></Section> },
            ...(cluster.spec.adopts ? [{ key: 'adoption', label: 'Adoption', content: () => <AdoptionTab cluster={cluster.id} /> }] : []),
            { key: 'connect', label: 'Connect', content: () => <Section title="Connect a client" actions={<LinkButton to="/api-keys" search={{ do: 'create', cluster: cluster.id }} icon="key">Create key</LinkButton>}><Connect cluster={cluster} /></Section> },
            { key: 'keys', label: 'Keys', content: () => <Keys cluster={cluster} /> },
            ...(isNative(cluster) ? [] : [{ key: 'connections', label: 'Connections', content: () => <Connections cluster={cluster.id} /> }]),
            { key: 'settings', label: 'Settings', content: () => <Settings cluster={cluster} /> },
          ]}
        />
      )}
    </ObjectPage>
  )
}

function Topics({ cluster }: { cluster: Cluster }) {
  return (
    <>
      {isNative(cluster) && <NativeNote />}
      <Facts items={[
        ['Access', accessText(cluster)],
        ['Bootstrap address', cluster.status.bootstrap_servers ? <Copyable key="b" text={cluster.status.bootstrap_servers} label="Copy bootstrap address" /> : <span key="b" className="muted">known once the agent reports it</span>],
        ['Kafka cluster id', cluster.status.kafka_cluster_id ? <Copyable key="k" text={cluster.status.kafka_cluster_id} label="Copy Kafka cluster id" /> : <span key="k" className="muted">unknown</span>],
      ]} />
      <Section title="Topics" actions={<LinkButton to="/topics" search={{ do: 'create', cluster: cluster.id }} icon="plus">Create topic</LinkButton>}>
        <TopicTable cluster={cluster.id} />
      </Section>
    </>
  )
}

function Keys({ cluster }: { cluster: Cluster }) {
  return (
    <Section title="Keys for this cluster" actions={<LinkButton to="/api-keys" search={{ do: 'create', cluster: cluster.id }} icon="plus">Create key</LinkButton>}>
      <KeyTable cluster={cluster.id} />
    </Section>
  )
}

function Settings({ cluster }: { cluster: Cluster }) {
  const environmentName = useNames('/v1/environments')
  const poolName = useNames('/v1/broker-pools')
  return (
    <Facts items={[
      ['Runs on', poolName(cluster.spec.broker_pool) ?? 'a granted place'],
      ['Broker pool', <Copyable key="p" text={cluster.spec.broker_pool} label="Copy broker pool id" />],
      ['Access', accessText(cluster)],
      ['Names', isNative(cluster) ? 'Kafka’s own' : cluster.spec.adopts ? 'groups and adopted topics have the attached Kafka’s own names' : 'all its own, kept apart from everybody’s on the same brokers'],
      ['Environment', <ObjectLink key="e" id={cluster.spec.environment} name={environmentName(cluster.spec.environment)} />],
      ['Labels', <Labels key="l" labels={cluster.metadata.labels} />],
      ['Resource name', <code key="r">{cluster.metadata.resource_name}</code>],
      ['Created', <Moment key="c" at={cluster.metadata.created_at} />],
    ]} />
  )
}
