// Compute pools: how much of a data plane jobs may use; the list, and one with its jobs.
import { useParams } from '@tanstack/react-router'
import type { ComputePool } from '../../api/types.ts'
import { kindNamed } from '../../app/kinds.ts'
import { useDialogInAddress } from '../../app/search.ts'
import { Button } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Crumb, Crumbs } from '../../ui/crumbs.tsx'
import { Facts, Section } from '../../ui/facts.tsx'
import { formatCount } from '../../ui/format.ts'
import { Labels } from '../../ui/labels.tsx'
import { Collection, PageHead } from '../../ui/list-page.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { ObjectPage } from '../../ui/object-page.tsx'
import { Age, Moment, Phase } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { JobTable } from '../job/job-table.tsx'
import { budgetNote, usedText } from './budget.ts'
import { useComputePoolFields } from './forms.ts'
import { useComputePool, useComputePools } from './queries.ts'

const KIND = kindNamed('ComputePool')!

const unitsText = ({ spec, status }: ComputePool): string => `${formatCount(status.units_used)} of ${formatCount(spec.max_units ?? 0)}`

export function ComputePoolsPage() {
  const create = useDialogInAddress('create')
  const list = useComputePools()
  const fields = useComputePoolFields()
  const planeName = useNames('/v1/data-planes')
  const button = <Button tone="primary" icon="plus" onClick={create.show}>Create compute pool</Button>
  const columns: Column<ComputePool>[] = [
    { key: 'name', label: 'Name', cell: (p) => <ObjectLink id={p.id} name={p.spec.name} />, sort: (p) => p.spec.name },
    { key: 'phase', label: 'Phase', cell: (p) => <Phase phase={p.status.phase} title={p.status.message} />, sort: (p) => p.status.phase },
    { key: 'units', label: 'Units used', align: 'right', cell: unitsText, sort: (p) => p.status.units_used },
    { key: 'budget', label: 'Used this month', align: 'right', cell: usedText, sort: (p) => p.status.unit_hours_this_month },
    { key: 'jobs', label: 'Jobs', align: 'right', cell: (p) => formatCount(p.status.jobs), sort: (p) => p.status.jobs },
    { key: 'plane', label: 'Data plane', cell: (p) => <ObjectLink id={p.spec.data_plane} name={planeName(p.spec.data_plane)} />, sort: (p) => planeName(p.spec.data_plane) },
    { key: 'created', label: 'Created', cell: (p) => <Age at={p.metadata.created_at} />, sort: (p) => p.metadata.created_at },
  ]
  return (
    <>
      <PageHead title="Compute pools" intro="How much of a data plane's processors and memory your jobs may use together." actions={button} />
      <Collection
        list={list} caption="Compute pools" noun={['compute pool', 'compute pools']} columns={columns}
        text={(p) => `${p.spec.name} ${planeName(p.spec.data_plane) ?? ''} ${p.status.phase}`}
        empty={{ title: 'No compute pools yet', text: 'Jobs run in a pool: make one on a data plane of your own, or on one that lends you units.', action: button }}
      />
      <ChangeDialog
        open={create.open} title="Create a compute pool" act="Create compute pool" fields={fields}
        call={() => ({ method: 'post', path: '/v1/compute-pools' })} onClose={create.close} onDone={() => undefined}
      />
    </>
  )
}

export function ComputePoolPage() {
  const { id } = useParams({ strict: false })
  const fields = useComputePoolFields()
  const planeName = useNames('/v1/data-planes')
  return (
    <ObjectPage
      kind={KIND} query={useComputePool(id)} fields={fields}
      deletes="The pool must be empty: delete its jobs first, or move them to another."
      crumbs={() => <Crumbs><Crumb to="/compute-pools">Compute pools</Crumb></Crumbs>}
    >
      {(pool) => (
        <>
          {budgetNote(pool) && <p className="note warn">{budgetNote(pool)}</p>}
          <Facts items={[
            ['Units used', unitsText(pool)],
            ['Used this month', usedText(pool)],
            !!pool.status.budget && ['Budget begins anew', <Moment key="b" at={pool.status.budget.resets_at} />],
            ['Jobs', formatCount(pool.status.jobs)],
            ['Data plane', <ObjectLink key="d" id={pool.spec.data_plane} name={planeName(pool.spec.data_plane)} />],
            ['Labels', <Labels key="l" labels={pool.metadata.labels} />],
            ['Created', <Moment key="m" at={pool.metadata.created_at} />],
          ]} />
          <Section title="Jobs"><JobTable computePool={pool.id} /></Section>
        </>
      )}
    </ObjectPage>
  )
}
