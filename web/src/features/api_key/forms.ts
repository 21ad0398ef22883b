// What an API key is asked for.
import { useAll } from '../../api/hooks.ts'
import { labelsField, type Field } from '../../ui/form/fields.ts'

export function useKeyFields(): readonly Field[] {
  const accounts = useAll('/v1/service-accounts').data ?? []
  const clusters = useAll('/v1/clusters').data ?? []
  return [
    { name: 'service_account', label: 'Service account', kind: 'select', required: true, fixed: true, options: accounts.map((a) => ({ value: a.id, label: a.spec.name })), hint: 'Who the key signs in. Without one, make a service account first.' },
    { name: 'cluster', label: 'Cluster', kind: 'select', fixed: true, options: clusters.map((c) => ({ value: c.id, label: c.spec.name })), hint: 'A key for a cluster opens that cluster and nothing else. None: it opens the API.' },
    { name: 'description', label: 'Description', kind: 'text', hint: 'Where it is used, so that whoever finds it later knows.' },
    { name: 'expires_at', label: 'Expires', kind: 'moment', hint: 'Your local time. None: it works until it is deleted.' },
    labelsField(),
  ]
}
