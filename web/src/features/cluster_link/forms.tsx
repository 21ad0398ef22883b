// What a cluster link is asked for.
import { useAll } from '../../api/hooks.ts'
import type { ClusterLink } from '../../api/types.ts'
import { labelsField, type Field } from '../../ui/form/fields.ts'
import { parseName } from '../../ui/form/parse.ts'
import { parseTopics, printTopics } from './link.ts'
import { TopicsEditor } from './topics-editor.tsx'

export function useClusterLinkFields(link?: ClusterLink): readonly Field[] {
  const clusters = (useAll('/v1/clusters').data ?? []).filter((c) => c.spec.access !== 'NATIVE')
  const accounts = useAll('/v1/service-accounts').data ?? []
  const topics = useAll('/v1/topics', link ? { cluster: link.spec.source_cluster } : undefined).data ?? []
  const clusterName = new Map(clusters.map((c) => [c.id, c.spec.name]))
  const options = clusters.map((c) => ({ value: c.id, label: c.spec.name }))
  const choices = topics
    .filter((t) => t.status.phase !== 'DELETING')
    .map((t) => ({ id: t.id, name: t.status.mount ? `${t.spec.name} (shared with you)` : t.spec.name, cluster: clusterName.get(t.spec.cluster) ?? '?' }))
  const held = new Set(link?.spec.topics?.map((t) => t.topic))
  return [
    { name: 'name', label: 'Name', kind: 'text', required: true, parse: parseName, hint: 'Unique in the tenant.' },
    { name: 'source_cluster', label: 'From the cluster', kind: 'select', required: true, fixed: true, options, hint: 'Its topics are read, those that are shared with you too.' },
    { name: 'target_cluster', label: 'Into the cluster', kind: 'select', required: true, fixed: true, options: clusters.filter((c) => !c.spec.adopts).map((c) => ({ value: c.id, label: c.spec.name })), hint: 'On any data plane. Copies are topics there.' },
    { name: 'service_account', label: 'Reads as', kind: 'select', required: true, fixed: true, options: accounts.map((a) => ({ value: a.id, label: a.spec.name })), hint: 'A service account with the role READER on each topic; the link has its rights and no more.' },
    {
      name: 'topics', label: 'Topics', kind: 'custom', required: true, parts: true, initial: '[]', parse: parseTopics, print: printTopics,
      render: (props) => <TopicsEditor {...props} choices={choices} held={held} />,
      hint: 'A topic that is taken out stays in the target as an ordinary topic.',
    },
    { name: 'start', label: 'Begins', kind: 'select', required: true, fixed: true, initial: 'EARLIEST', options: [{ value: 'EARLIEST', label: 'with the oldest record that is left' }, { value: 'LATEST', label: 'with new records' }] },
    { name: 'desired_state', label: 'What is wished', kind: 'select', required: true, advanced: true, initial: 'RUNNING', options: [{ value: 'RUNNING', label: 'Copies' }, { value: 'PAUSED', label: 'Stands' }] },
    labelsField(),
  ]
}
