// A table of jobs: of all, of a cluster's, of a compute pool's.
import type { ReactNode } from 'react'
import type { Job } from '../../api/types.ts'
import { formatCount } from '../../ui/format.ts'
import { Collection } from '../../ui/list-page.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { Age, Phase } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { lagText, workersText } from './job.ts'
import { programText } from './program.ts'
import { useJobs } from './queries.ts'

export function JobTable({ cluster, computePool, action }: { cluster?: string | undefined; computePool?: string; action?: ReactNode }) {
  const list = useJobs({ ...(cluster && { cluster }), ...(computePool && { compute_pool: computePool }) })
  const clusterName = useNames('/v1/clusters')
  const poolName = useNames('/v1/compute-pools')
  const columns: Column<Job>[] = [
    { key: 'name', label: 'Name', cell: (j) => <ObjectLink id={j.id} name={j.spec.name} />, sort: (j) => j.spec.name },
    { key: 'phase', label: 'Phase', cell: (j) => <Phase phase={j.status.phase} title={j.status.message} />, sort: (j) => j.status.phase },
    { key: 'program', label: 'Program', cell: (j) => programText(j.spec.program), sort: (j) => j.spec.program.kind },
    { key: 'lag', label: 'Behind', align: 'right', cell: (j) => lagText(j.status.progress), sort: (j) => j.status.progress?.lag ?? undefined },
    { key: 'workers', label: 'Workers', align: 'right', cell: workersText },
    { key: 'version', label: 'Version', align: 'right', cell: (j) => formatCount(j.status.latest_version), sort: (j) => j.status.latest_version },
    { key: 'cluster', label: 'Cluster', cell: (j) => <ObjectLink id={j.spec.cluster} name={clusterName(j.spec.cluster)} />, sort: (j) => clusterName(j.spec.cluster) },
    ...(computePool ? [] : [{ key: 'pool', label: 'Compute pool', cell: (j: Job) => <ObjectLink id={j.spec.compute_pool} name={poolName(j.spec.compute_pool)} /> }]),
    { key: 'created', label: 'Created', cell: (j) => <Age at={j.metadata.created_at} />, sort: (j) => j.metadata.created_at },
  ]
  return (
    <Collection
      list={list} caption="Jobs" noun={['job', 'jobs']} columns={columns} narrowed={cluster !== undefined || computePool !== undefined}
      text={(j) => `${j.spec.name} ${clusterName(j.spec.cluster) ?? ''} ${poolName(j.spec.compute_pool) ?? ''} ${j.status.phase}`}
      empty={{ title: 'No jobs yet', text: 'A job reads topics and writes others, next to the data: by steps over each record, or by a statement in SQL.', action }}
    />
  )
}
