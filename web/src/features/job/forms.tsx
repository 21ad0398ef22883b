// What a job is asked for.
import { useAll } from '../../api/hooks.ts'
import { labelsField, type Field, type Texts } from '../../ui/form/fields.ts'
import { parseName } from '../../ui/form/parse.ts'
import { parseSuspend } from './job.ts'
import { parseProgram, printProgram } from './program.ts'
import { ProgramEditor } from './program-editor.tsx'
import { parseScaling, printScaling } from './scaling.ts'
import { ScalingEditor } from './scaling-editor.tsx'

const sleeps = (texts: Texts) => texts['desired_state'] === 'AUTO_SUSPEND'

export function useJobFields(): readonly Field[] {
  const clusters = useAll('/v1/clusters').data ?? []
  const pools = useAll('/v1/compute-pools').data ?? []
  const accounts = useAll('/v1/service-accounts').data ?? []
  const clusterName = new Map(clusters.map((c) => [c.id, c.spec.name]))
  const topics = (useAll('/v1/topics').data ?? []).map((t) => ({
    id: t.id, name: t.spec.name, promises: t.spec.contract?.value?.unframed === 'JSON', label: clusters.length > 1 ? `${clusterName.get(t.spec.cluster) ?? '?'} / ${t.spec.name}` : t.spec.name,
  }))
  return [
    { name: 'cluster', label: 'Cluster', kind: 'select', required: true, fixed: true, options: clusters.map((c) => ({ value: c.id, label: c.spec.name })) },
    { name: 'name', label: 'Name', kind: 'text', required: true, fixed: true, parse: parseName, hint: 'Unique on the cluster.' },
    { name: 'compute_pool', label: 'Compute pool', kind: 'select', required: true, options: pools.map((p) => ({ value: p.id, label: p.spec.name })), hint: "On the cluster's data plane." },
    { name: 'service_account', label: 'Service account', kind: 'select', required: true, options: accounts.map((a) => ({ value: a.id, label: a.spec.name })), hint: 'The job has its rights and no more: it reads the sources and writes the sinks.' },
    {
      name: 'program', label: 'Program', kind: 'custom', required: true, parts: true, parse: parseProgram, print: printProgram,
      render: (props) => <ProgramEditor {...props} topics={topics} />,
      hint: 'Another program is another version; older ones can run again.',
    },
    {
      name: 'desired_state', label: 'What is wished', kind: 'select', required: true, initial: 'RUNNING',
      options: [{ value: 'RUNNING', label: 'Runs' }, { value: 'AUTO_SUSPEND', label: 'Runs while there is something to do' }, { value: 'STOPPED', label: 'Stands' }],
      hint: 'A job that sleeps takes no compute unit; it wakes when records come.',
    },
    {
      name: 'auto_suspend', label: 'Asleep after so many seconds without a record', kind: 'text', required: true, initial: '300', when: sleeps, parse: parseSuspend,
      print: (value) => String((value as { idle_after_seconds?: number }).idle_after_seconds ?? 300),
    },
    {
      name: 'scaling', label: 'Workers', kind: 'custom', initial: printScaling({}), advanced: true, parts: true, parse: parseScaling, print: printScaling,
      render: (props) => <ScalingEditor {...props} />,
      hint: 'A number, or at least and at most, such as 1 to 4: the autoscaler decides between the two. Of a job in SQL they are subtasks.',
    },
    { name: 'priority', label: 'Priority', kind: 'whole', min: 0, max: 9, initial: '5', advanced: true, hint: 'Who waits when the pool is full: 9 comes first.' },
    { name: 'description', label: 'Description', kind: 'textarea', advanced: true },
    labelsField(),
  ]
}
