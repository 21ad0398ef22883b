// What an alert rule is asked for.
import { useAll } from '../../api/hooks.ts'
import { labelsField, type Field, type Texts } from '../../ui/form/fields.ts'
import { parseName } from '../../ui/form/parse.ts'
import { KIND_LABELS } from './alert.ts'

const ofLag = (texts: Texts) => texts['kind'] === 'LAG'

export function useAlertFields(): readonly Field[] {
  const clusters = useAll('/v1/clusters').data ?? []
  return [
    { name: 'cluster', label: 'Cluster', kind: 'select', required: true, fixed: true, options: clusters.map((c) => ({ value: c.id, label: c.spec.name })) },
    { name: 'name', label: 'Name', kind: 'text', required: true, fixed: true, parse: parseName, hint: 'Unique on the cluster.' },
    { name: 'kind', label: 'What is watched', kind: 'select', required: true, fixed: true, initial: 'THROTTLING', options: KIND_LABELS },
    { name: 'group', label: 'Consumer group', kind: 'text', required: true, fixed: true, when: ofLag, hint: 'Its id, as in group.id of its consumers.' },
    { name: 'topic', label: 'Topic', kind: 'text', fixed: true, when: ofLag, hint: 'The name of the only topic that counts. Empty: all that the group reads.' },
    { name: 'threshold', label: 'Threshold', kind: 'whole', required: true, min: 1, max: 1_000_000_000_000, hint: 'From this value on the alert fires.' },
    { name: 'for_seconds', label: 'For how many seconds', kind: 'whole', min: 0, max: 3600, initial: '0', advanced: true, hint: 'How long the value has to stay there first.' },
    labelsField(),
  ]
}
