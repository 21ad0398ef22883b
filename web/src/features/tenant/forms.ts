// What a tenant is asked for.
import { useAll } from '../../api/hooks.ts'
import { labelsField, type Field } from '../../ui/form/fields.ts'
import { parseName } from '../../ui/form/parse.ts'

export function useTenantFields(): readonly Field[] {
  const organizations = useAll('/v1/organizations').data ?? []
  return [
    { name: 'organization', label: 'Organization', kind: 'select', required: true, fixed: true, options: organizations.map((o) => ({ value: o.id, label: o.spec.display_name || o.spec.name })) },
    { name: 'name', label: 'Name', kind: 'text', required: true, fixed: true, parse: parseName, hint: 'Part of resource names; it never changes.' },
    { name: 'display_name', label: 'Shown as', kind: 'text' },
    labelsField(),
  ]
}
