// What a role binding is asked for.
import { useAll } from '../../api/hooks.ts'
import { useReach } from '../../app/session.tsx'
import { labelsField, type Field, type Option } from '../../ui/form/fields.ts'
import { parsePattern } from './pattern.ts'

export const ROLES: readonly Option[] = [
  { value: 'READER', label: 'Reader: sees and consumes' },
  { value: 'DEVELOPER', label: 'Developer: also produces, makes and changes topics' },
  { value: 'TENANT_ADMIN', label: 'Tenant administrator: everything in the tenant' },
]
const ABOVE: readonly Option[] = [
  { value: 'ORGANIZATION_ADMIN', label: 'Organization administrator: everything in its tenants' },
  { value: 'OPERATOR', label: 'Operator: the whole installation' },
]

export function useBindingFields(): readonly Field[] {
  const reach = useReach()
  const accounts = useAll('/v1/service-accounts').data ?? []
  const members = useAll('/v1/members').data ?? []
  const environments = useAll('/v1/environments').data ?? []
  const principals = [
    ...accounts.map((a) => ({ value: a.id, label: `${a.spec.name} (service account)` })),
    ...members.map((m) => ({ value: m.id, label: `${m.spec.display_name || m.spec.email} (member)` })),
  ]
  const patterns = [{ value: '*', label: 'the whole tenant' }, ...environments.map((e) => ({ value: `environment=${e.spec.name}/*`, label: `everything in ${e.spec.name}` }))]
  return [
    { name: 'principal', label: 'Who', kind: 'select', required: true, fixed: true, options: principals },
    { name: 'role', label: 'Role', kind: 'select', required: true, initial: 'DEVELOPER', options: reach === 'tenant' ? ROLES : [...ROLES, ...ABOVE] },
    { name: 'resource', label: 'On', kind: 'suggest', required: true, initial: '*', parse: parsePattern, options: patterns, hint: '* is the whole tenant. environment=prod/* is an environment. environment=prod/cluster=cards/topic=pay* are topics by prefix.' },
    labelsField(),
  ]
}
