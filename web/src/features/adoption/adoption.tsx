// What an attached Kafka holds, and what would become of it: plan, adopt, release.
import type { AdoptionPlan } from '../../api/types.ts'
import { useRead } from '../../api/hooks.ts'
import { useDialogInAddress } from '../../app/search.ts'
import { ActDialog } from '../../ui/act-dialog.tsx'
import { Button } from '../../ui/button.tsx'
import { Facts, Section } from '../../ui/facts.tsx'
import { formatCount, plural, words } from '../../ui/format.ts'
import { Empty, Failure, Skeleton } from '../../ui/states.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { useToast } from '../../ui/toast.tsx'

type Found = AdoptionPlan['topics'][number]

const TONES: Record<string, string> = { ADOPT: 'busy', ADOPTED: 'good', REFUSED: 'off' }

const columns: readonly Column<Found>[] = [
  { key: 'name', label: 'Topic', cell: (t) => t.name, sort: (t) => t.name },
  { key: 'verdict', label: 'Here', cell: (t) => <span className={`tag ${TONES[t.verdict] ?? 'off'}`}>{t.verdict === 'ADOPT' ? 'can be adopted' : words(t.verdict)}</span>, sort: (t) => t.verdict },
  { key: 'partitions', label: 'Partitions', align: 'right', cell: (t) => formatCount(t.partitions), sort: (t) => t.partitions },
  { key: 'copies', label: 'Copies', align: 'right', cell: (t) => formatCount(t.replication_factor), sort: (t) => t.replication_factor },
  { key: 'why', label: 'Why not', cell: (t) => t.detail ?? '' },
]

export function AdoptionTab({ cluster }: { cluster: string }) {
  const plan = useRead<AdoptionPlan>('/v1/clusters/{id}/adoption', { id: cluster })
  const adopt = useDialogInAddress('adopt')
  const release = useDialogInAddress('release')
  const say = useToast()
  if (plan.isPending) return <Skeleton label="Asking the agent what is there" />
  if (!plan.data) return <Failure error={plan.error} again={() => void plan.refetch()} />
  const { topics, groups, acls, brokers, topics_withheld, groups_withheld } = plan.data
  const count = (verdict: string) => topics.filter((t) => t.verdict === verdict).length
  return (
    <>
      <Section
        title="Topics of the attached Kafka" note="Adopting copies nothing and changes no setting: clients that go there directly notice nothing. Releasing leaves everything in Kafka."
        actions={
          <>
            <Button tone="primary" onClick={adopt.show} disabled={count('ADOPT') === 0}>Adopt {plural(count('ADOPT'), 'topic')}</Button>
            <Button onClick={release.show} disabled={count('ADOPTED') === 0}>Release</Button>
          </>
        }
      >
        <Facts items={[
          ['Brokers', formatCount(brokers)],
          ['Adopted', formatCount(count('ADOPTED'))],
          ['Consumer groups', `${formatCount(groups.length)}, under their own ids`],
          ['Kafka’s access rules', acls ? `${formatCount(acls.bindings)} for ${plural(acls.principals, 'principal')}; they go on for direct clients` : 'none, or not shown to the agent'],
          (topics_withheld > 0 || groups_withheld > 0) && ['Withheld by policy', `${plural(topics_withheld, 'topic')}, ${plural(groups_withheld, 'group')}`],
        ]} />
        {topics.length === 0 ? <Empty title="It has no topics" /> : <Table caption="Topics of the attached Kafka" rows={topics} columns={columns} id={(t) => t.name} still />}
      </Section>
      <ActDialog
        open={adopt.open} title="Adopt topics" act="Adopt" call={{ method: 'post', path: '/v1/clusters/{id}/adopt', id: cluster, body: {} }}
        onClose={adopt.close} onDone={() => say('The topics are being adopted')}
      >
        <p>Every topic that can be comes under this cluster, under its own name.</p>
      </ActDialog>
      <ActDialog
        open={release.open} title="Release adopted topics" act="Release" danger typed="release" call={{ method: 'post', path: '/v1/clusters/{id}/release', id: cluster, body: {} }}
        onClose={release.close} onDone={() => say('The topics are being released')}
      >
        <p>They are no topics of this cluster any more, and clients with its keys lose them. In Kafka they stay as they are, with their records.</p>
      </ActDialog>
    </>
  )
}
