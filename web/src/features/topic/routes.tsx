// Topics: the list, and one with its wish beside the truth.
import { useParams } from '@tanstack/react-router'
import { useAll } from '../../api/hooks.ts'
import type { Topic } from '../../api/types.ts'
import { kindNamed } from '../../app/kinds.ts'
import { useAddress, useDialogInAddress, useSetAddress } from '../../app/search.ts'
import { Button, LinkButton } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Crumb, Crumbs, ObjectCrumb } from '../../ui/crumbs.tsx'
import { Section, Tabs } from '../../ui/facts.tsx'
import { PageHead } from '../../ui/list-page.tsx'
import { useNames } from '../../ui/object-link.tsx'
import { ObjectPage } from '../../ui/object-page.tsx'
import { Connect } from '../cluster/connect.tsx'
import { useCluster } from '../cluster/queries.ts'
import { Lineage } from '../lineage/lineage.tsx'
import { ShareDialog } from '../share/share-dialog.tsx'
import { SharesOfTopic } from '../share/share-tables.tsx'
import { TopicContract } from './contract-tab.tsx'
import { useTopicFields } from './forms.tsx'
import { MirrorLine } from './mirror.tsx'
import { MountLine } from './mount.tsx'
import { useTopic } from './queries.ts'
import { TopicOverview } from './overview.tsx'
import { TopicTable } from './topic-table.tsx'

const KIND = kindNamed('Topic')!

export function TopicsPage() {
  const create = useDialogInAddress('create')
  const { cluster } = useAddress()
  const set = useSetAddress()
  const clusters = useAll('/v1/clusters').data ?? []
  const fields = useTopicFields()
  const button = <Button tone="primary" icon="plus" onClick={create.show}>Create topic</Button>
  const filters = (
    <select aria-label="Cluster" value={cluster ?? ''} onChange={(event) => set({ cluster: event.target.value || undefined })}>
      <option value="">All clusters</option>
      {clusters.map((c) => <option key={c.id} value={c.id}>{c.spec.name}</option>)}
    </select>
  )
  const only = clusters.length === 1 ? clusters[0]?.id : undefined
  const preset = cluster ?? only
  return (
    <>
      <PageHead title="Topics" intro="Streams of records in your clusters. What you ask for and what is so are shown apart." actions={button} />
      <TopicTable cluster={cluster} action={button} filters={filters} />
      <ChangeDialog
        key={preset} open={create.open} title="Create a topic" act="Create topic" fields={fields} initial={preset ? { cluster: preset } : undefined}
        call={() => ({ method: 'post', path: '/v1/topics' })} onClose={create.close} onDone={() => undefined}
      />
    </>
  )
}

export function TopicPage() {
  const { id } = useParams({ strict: false })
  const query = useTopic(id)
  const clusterName = useNames('/v1/clusters')
  const fields = useTopicFields(query.data)
  const share = useDialogInAddress('share')
  // Another tenant's topic, shown here: it is read and nothing else.
  const mount = query.data?.status.mount
  // A cluster link's copy: it is neither edited nor deleted until it is taken out of the link.
  const mirror = query.data?.status.mirror
  return (
    <ObjectPage
      kind={KIND} query={query} fields={mount || mirror ? undefined : fields}
      deletes={mount || mirror ? undefined : 'The topic and all its records are destroyed in your network. This cannot be undone.'}
      actions={(t) => (mount
        ? <LinkButton to="/received-shares/$id" params={{ id: mount.received_share }} search={{ do: 'leave' }}>Leave…</LinkButton>
        : t.status.phase !== 'DELETING' && <Button icon="share" onClick={share.show}>Share</Button>)}
      crumbs={(t) => <Crumbs><Crumb to="/clusters">Clusters</Crumb><ObjectCrumb id={t.spec.cluster} name={clusterName(t.spec.cluster)} /></Crumbs>}
      leaveTo={(t) => ({ to: '/clusters/$id', params: { id: t.spec.cluster } })}
    >
      {(topic) => (
        <>
          {mount && <MountLine receivedShare={mount.received_share} />}
          {mirror && <MirrorLine link={mirror.cluster_link} />}
          <Tabs
            label={`Parts of topic ${topic.spec.name}`}
            tabs={[
              { key: 'overview', label: 'Overview', content: () => <TopicOverview topic={topic} /> },
              ...(mount || mirror ? [] : [{ key: 'contract', label: 'Contract', content: () => <TopicContract topic={topic} /> }]),
              ...(mount ? [] : [
                { key: 'shares', label: 'Shares', content: () => <SharesOfTopic topic={topic} share={share.show} /> },
              ]),
              { key: 'lineage', label: 'Lineage', content: () => <Lineage of={{ topic_id: topic.id }} /> },
              { key: 'connect', label: 'Connect', content: () => <TopicConnect topic={topic} /> },
            ]}
          />
          {!mount && <ShareDialog open={share.open} topic={topic} onClose={share.close} />}
        </>
      )}
    </ObjectPage>
  )
}

function TopicConnect({ topic }: { topic: Topic }) {
  const cluster = useCluster(topic.spec.cluster)
  return <Section title="Connect a client" actions={<LinkButton to="/api-keys" search={{ do: 'create', cluster: topic.spec.cluster }} icon="key">Create key</LinkButton>}>{cluster.data && <Connect cluster={cluster.data} topic={topic.spec.name} />}</Section>
}
