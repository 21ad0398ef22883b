// What an alert rule is asked for.
import { useAll } from '../../api/hooks.ts'
import { labelsField, type Field } from '../../ui/form/fields.ts'
import { parseName } from '../../ui/form/parse.ts'
import { KIND_LABELS } from './alert.ts'

export function useAlertFields(): readonly Field[] {
  const clusters = useAll('/v1/clusters').data ?? []
  return [
    { name: 'cluster', label: 'Cluster', kind: 'select', required: true, fixed: true, options: clusters.map((c) => ({ value: c.id, label: c.spec.name })) },
    { name: 'name', label: 'Name', kind: 'text', required: true, fixed: true, parse: parseName, hint: 'Unique on the cluster.' },
    { name: 'kind', label: 'What is watched', kind: 'select', required: true, fixed: true, initial: 'THROTTLING', options: KIND_LABELS },
    { name: 'threshold', label: 'Threshold', kind: 'whole', required: true, min: 1, max: 60_000_000, hint: 'From this value on the alert fires.' },
    { name: 'for_seconds', label: 'For how many seconds', kind: 'whole', min: 0, max: 3600, initial: '0', advanced: true, hint: 'How long the value has to stay there first.' },
    labelsField(),
  ]
}
