// Cluster links: the list, and one with both its ends, what each end's policy needs, and how far its topics are.
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import type { Call } from '../../api/client.ts'
import type { ClusterLink, ClusterLinkEnd, LinkedTopicStatus } from '../../api/types.ts'
import { kindNamed } from '../../app/kinds.ts'
import { useDialogInAddress } from '../../app/search.ts'
import { ActDialog } from '../../ui/act-dialog.tsx'
import { Button } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { CodeBlock } from '../../ui/copyable.tsx'
import { Crumb, Crumbs } from '../../ui/crumbs.tsx'
import { Facts, Section } from '../../ui/facts.tsx'
import { formatBytes, formatCount } from '../../ui/format.ts'
import { Labels } from '../../ui/labels.tsx'
import { Collection, PageHead } from '../../ui/list-page.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { ObjectPage } from '../../ui/object-page.tsx'
import { Age, Moment, Phase } from '../../ui/status.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { useToast } from '../../ui/toast.tsx'
import { useClusterLinkFields } from './forms.tsx'
import { isPaused, lagText } from './link.ts'
import { useClusterLink, useClusterLinks } from './queries.ts'

const KIND = kindNamed('ClusterLink')!

export function ClusterLinksPage() {
  const create = useDialogInAddress('create')
  const list = useClusterLinks()
  const fields = useClusterLinkFields()
  const clusterName = useNames('/v1/clusters')
  const button = <Button tone="primary" icon="plus" onClick={create.show}>Create cluster link</Button>
  const columns: Column<ClusterLink>[] = [
    { key: 'name', label: 'Name', cell: (l) => <ObjectLink id={l.id} name={l.spec.name} />, sort: (l) => l.spec.name },
    { key: 'phase', label: 'Phase', cell: (l) => <Phase phase={l.status.phase} title={l.status.message} />, sort: (l) => l.status.phase },
    { key: 'from', label: 'From', cell: (l) => <ObjectLink id={l.spec.source_cluster} name={clusterName(l.spec.source_cluster)} />, sort: (l) => clusterName(l.spec.source_cluster) },
    { key: 'into', label: 'Into', cell: (l) => <ObjectLink id={l.spec.target_cluster} name={clusterName(l.spec.target_cluster)} />, sort: (l) => clusterName(l.spec.target_cluster) },
    { key: 'topics', label: 'Topics', align: 'right', cell: (l) => formatCount(l.status.topics.length), sort: (l) => l.status.topics.length },
    { key: 'lag', label: 'Left to copy', align: 'right', cell: (l) => lagText(l.status.lag_records), sort: (l) => l.status.lag_records ?? undefined },
    { key: 'created', label: 'Created', cell: (l) => <Age at={l.metadata.created_at} />, sort: (l) => l.metadata.created_at },
  ]
  return (
    <>
      <PageHead title="Cluster links" intro="Copies of topics in another cluster of yours, on any data plane: each record once, in the same partition, as it was written." actions={button} />
      <Collection
        list={list} caption="Cluster links" noun={['cluster link', 'cluster links']} columns={columns}
        text={(l) => `${l.spec.name} ${l.id} ${clusterName(l.spec.source_cluster) ?? ''} ${clusterName(l.spec.target_cluster) ?? ''} ${l.status.phase}`}
        empty={{ title: 'No cluster links yet', text: 'Copy topics of one cluster into another: of a share that lives on somebody else’s brokers, for a second site, or to move house.', action: button }}
      />
      <ChangeDialog
        open={create.open} title="Create a cluster link" act="Create cluster link" fields={fields}
        call={() => ({ method: 'post', path: '/v1/cluster-links' })} onClose={create.close} onDone={() => undefined}
      />
    </>
  )
}

interface Act {
  /** What is said when it is done. */
  done: string
  title: string
  text: string
  call: Call
}

const change = (link: ClusterLink, spec: Record<string, unknown>): Call => ({ method: 'patch', path: '/v1/cluster-links/{id}', id: link.id, body: { spec }, generation: link.metadata.generation })

const pausing = (link: ClusterLink): Act => (isPaused(link)
  ? { title: 'Resume', done: 'The link goes on', text: 'It goes on where it was.', call: change(link, { desired_state: 'RUNNING' }) }
  : { title: 'Pause', done: 'The link stands', text: 'Nothing is copied until it is resumed; it keeps its place.', call: change(link, { desired_state: 'PAUSED' }) })

const takingOut = (link: ClusterLink, topic: LinkedTopicStatus): Act => ({
  title: `Take ${topic.source_name} out`,
  done: `${topic.name} is an ordinary topic now`,
  text: `Nothing more is copied into ${topic.name}. It stays in the target with what it has, as an ordinary topic that may be written. It cannot be put back under this name.`,
  call: change(link, { topics: (link.spec.topics ?? []).filter((t) => t.topic !== topic.topic) }),
})

export function ClusterLinkPage() {
  const { id } = useParams({ strict: false })
  const query = useClusterLink(id)
  const fields = useClusterLinkFields(query.data)
  const [act, setAct] = useState<Act | undefined>(undefined)
  const say = useToast()
  return (
    <>
      <ObjectPage
        kind={KIND} query={query} fields={fields}
        deletes="The link ends, and both ends forget it. What was copied stays: its topics in the target become ordinary topics, with all their records."
        crumbs={() => <Crumbs><Crumb to="/cluster-links">Cluster links</Crumb></Crumbs>}
        actions={(link) => <Button onClick={() => setAct(pausing(link))}>{pausing(link).title}</Button>}
      >
        {(link) => (
          <>
            <div className="wish-and-truth">
              <End title="From" link={link} cluster={link.spec.source_cluster} end={link.status.source} />
              <End title="Into" link={link} cluster={link.spec.target_cluster} end={link.status.target} />
            </div>
            <Topics link={link} takeOut={(topic) => setAct(takingOut(link, topic))} />
            <About link={link} />
          </>
        )}
      </ObjectPage>
      {act && (
        <ActDialog open title={act.title} act={act.title} call={act.call} onClose={() => setAct(undefined)} onDone={() => say(act.done)}>
          <p>{act.text}</p>
        </ActDialog>
      )}
    </>
  )
}

function End({ title, link, cluster, end }: { title: string; link: ClusterLink; cluster: string; end: ClusterLinkEnd }) {
  const clusterName = useNames('/v1/clusters')
  const planeName = useNames('/v1/data-planes')
  const name = clusterName(cluster) ?? cluster
  const lines = 'This end obeys only when its agent’s own policy, in its network, has these lines. Compare the key with what the other end’s agent says where it runs.'
  return (
    <div>
      <Section title={`${title} ${name}`}>
        <Facts items={[
          ['Phase', <Phase key="p" phase={end.phase} title={end.message} />],
          !!end.message && ['Why', end.message],
          ['Cluster', <ObjectLink key="c" id={cluster} name={clusterName(cluster)} />],
          ['Data plane', <ObjectLink key="d" id={end.data_plane} name={planeName(end.data_plane)} />],
          ['Last heard of', <Age key="a" at={end.reported_at} />],
        ]} />
      </Section>
      <Section title={`What the policy of ${name} needs`} note={end.expects ? lines : 'The other end’s agent has not told its key yet.'}>
        {end.expects && <CodeBlock text={end.expects} label={`Policy of ${name} for ${link.spec.name}`} wrap />}
      </Section>
    </div>
  )
}

function Topics({ link, takeOut }: { link: ClusterLink; takeOut: (topic: LinkedTopicStatus) => void }) {
  const columns: Column<LinkedTopicStatus>[] = [
    { key: 'name', label: 'Copy', cell: (t) => <ObjectLink id={t.mirror} name={t.name} />, sort: (t) => t.name },
    { key: 'phase', label: 'Phase', cell: (t) => <Phase phase={t.phase} title={t.message} />, sort: (t) => t.phase },
    { key: 'of', label: 'Of', cell: (t) => <ObjectLink id={t.topic} name={t.source_name} />, sort: (t) => t.source_name },
    { key: 'lag', label: 'Left to copy', align: 'right', cell: (t) => lagText(t.lag_records), sort: (t) => t.lag_records ?? undefined },
    { key: 'records', label: 'Copied', align: 'right', cell: (t) => <span title="Since the target’s agent began">{formatCount(t.records)} records, {formatBytes(t.bytes)}</span>, sort: (t) => t.records },
    { key: 'caught', label: 'Was level', cell: (t) => <Age at={t.caught_up_at} />, sort: (t) => t.caught_up_at ?? '' },
    { key: 'message', label: 'Why', cell: (t) => t.message ?? '' },
    { key: 'out', label: 'Take out', cell: (t) => <Button tone="quiet" onClick={() => takeOut(t)} aria-label={`Take out ${t.source_name}`}>Take out</Button> },
  ]
  const told = link.status.topics.some((t) => t.message)
  return (
    <Section title="Topics" note="Copies are read like other topics; nobody writes them but the link.">
      {link.status.topics.length === 0
        ? <p className="note">Nothing is copied: edit the link to add topics.</p>
        : <Table caption="Topics of the link" rows={link.status.topics} columns={told ? columns : columns.filter((c) => c.key !== 'message')} id={(t) => t.mirror} still />}
    </Section>
  )
}

function About({ link }: { link: ClusterLink }) {
  const accountName = useNames('/v1/service-accounts')
  return (
    <Section title="About">
      <Facts items={[
        ['Reads as', <ObjectLink key="r" id={link.spec.service_account} name={accountName(link.spec.service_account)} />],
        ['Begins', link.spec.start === 'LATEST' ? 'with new records' : 'with the oldest record that was left'],
        ['Left to copy', lagText(link.status.lag_records)],
        ['Labels', <Labels key="l" labels={link.metadata.labels} />],
        ['Created', <Moment key="m" at={link.metadata.created_at} />],
      ]} />
    </Section>
  )
}
