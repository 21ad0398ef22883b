// One consumer group: who reads by number, where it is, and what can be done while nobody reads.
import { useNavigate, useParams } from '@tanstack/react-router'
import type { ConsumerGroupDetail } from '../../api/types.ts'
import { useDialogInAddress, type Search } from '../../app/search.ts'
import { ActDialog } from '../../ui/act-dialog.tsx'
import { Button } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Crumb, Crumbs, ObjectCrumb } from '../../ui/crumbs.tsx'
import { Facts, Section } from '../../ui/facts.tsx'
import { formatCount, words } from '../../ui/format.ts'
import { Icon } from '../../ui/icons.tsx'
import { PageHead, Stale } from '../../ui/list-page.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { Failure, Skeleton } from '../../ui/states.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { useToast } from '../../ui/toast.tsx'
import { MovesOf } from './moves.tsx'
import { useGroup } from './queries.ts'
import { resetFields, resetOf } from './reset.ts'
import { GroupState } from './state.tsx'

export function GroupPage() {
  const { id = '', group = '' } = useParams({ strict: false })
  const query = useGroup(id, group)
  const clusterName = useNames('/v1/clusters')
  const crumbs = <Crumbs><Crumb to="/clusters">Clusters</Crumb><ObjectCrumb id={id} name={clusterName(id)} /></Crumbs>
  if (query.isPending) return <><PageHead title={group} crumbs={crumbs} /><Skeleton label="Asking the agent for the group" /></>
  if (!query.data) return <><PageHead title={group} crumbs={crumbs} /><Failure error={query.error} again={() => void query.refetch()} /></>
  return (
    <>
      <PageHead title={group} crumbs={crumbs} actions={<Actions group={query.data} />} />
      {query.error && <Stale since={query.dataUpdatedAt} error={query.error} again={() => void query.refetch()} />}
      <Found group={query.data} />
    </>
  )
}

function Actions({ group }: { group: ConsumerGroupDetail }) {
  const reset = useDialogInAddress('reset')
  const remove = useDialogInAddress('delete')
  const navigate = useNavigate()
  const say = useToast()
  const idle = group.state === 'EMPTY'
  const call = { id: group.cluster, params: { group: group.group } } as const
  const leave = () => {
    say(`${group.group} was deleted`)
    void navigate({ to: '/clusters/$id', params: { id: group.cluster }, search: (old: Search) => ({ tenant: old.tenant, tab: 'groups' }) })
  }
  return (
    <>
      <Button onClick={reset.show} disabled={!idle}>Reset offsets</Button>
      <Button onClick={remove.show} disabled={!idle}>Delete group</Button>
      <ChangeDialog
        open={reset.open} title={`Reset offsets of ${group.group}`} act="Reset offsets" fields={resetFields(group)}
        intro={<p className="note">Records are not changed: the group only continues elsewhere when its consumers start again.</p>}
        plan={(plan) => <MovesOf plan={plan} />}
        call={(body) => ({ method: 'post', path: '/v1/clusters/{id}/groups/{group}/reset-offsets', ...call, body: resetOf(body.spec) })}
        onClose={reset.close} onDone={() => say(`The offsets of ${group.group} were reset`)}
      />
      <ActDialog
        open={remove.open} title={`Delete ${group.group}`} act="Delete group" danger typed={group.group} plan={(plan) => <MovesOf plan={plan} />}
        call={{ method: 'delete', path: '/v1/clusters/{id}/groups/{group}', ...call }} onClose={remove.close} onDone={leave}
      >
        <p className="warning"><Icon name="alert" /> Its committed offsets are lost: whoever uses the name again begins where its consumers are configured to.</p>
      </ActDialog>
    </>
  )
}

type Position = ConsumerGroupDetail['positions'][number]
const known = (value: number | null | undefined) => (value === null || value === undefined ? <span className="muted">none</span> : formatCount(value))

const columns: readonly Column<Position>[] = [
  { key: 'topic', label: 'Topic', cell: (p) => <ObjectLink id={p.topic} name={p.topic_name} />, sort: (p) => p.topic_name },
  { key: 'partition', label: 'Partition', align: 'right', cell: (p) => p.partition, sort: (p) => p.partition },
  { key: 'committed', label: 'Committed', align: 'right', cell: (p) => known(p.committed_offset), sort: (p) => p.committed_offset ?? undefined },
  { key: 'end', label: 'End of log', align: 'right', cell: (p) => known(p.log_end_offset), sort: (p) => p.log_end_offset ?? undefined },
  { key: 'lag', label: 'Lag', align: 'right', cell: (p) => known(p.lag), sort: (p) => p.lag ?? undefined },
  { key: 'member', label: 'Read by', cell: (p) => (p.member ? `member ${p.member}` : <span className="muted">nobody</span>), sort: (p) => p.member ?? undefined },
]

function Found({ group }: { group: ConsumerGroupDetail }) {
  const idle = group.state === 'EMPTY'
  return (
    <>
      <Facts items={[
        ['State', <GroupState key="s" state={group.state} />],
        ['Members', formatCount(group.members)],
        ['Lag', formatCount(group.lag)],
        ['Protocol', words(group.type)],
      ]} />
      {!idle && <p className="note">Offsets can be reset and the group deleted once its last member has left: stop its consumers first.</p>}
      <Section title="Positions" note="Asked of the agent when you look. Members are numbers here: who they are stays in the data plane.">
        {group.positions.length === 0
          ? <p className="muted">It has committed nothing and reads nothing.</p>
          : <Table caption="Positions by partition" rows={group.positions} columns={columns} id={(p) => `${p.topic}/${p.partition}`} still />}
      </Section>
    </>
  )
}
