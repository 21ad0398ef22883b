// What a member is asked for.
import { useAll } from '../../api/hooks.ts'
import { useMember, useReach } from '../../app/session.tsx'
import { useTenants, useTenantInView } from '../../app/tenant.tsx'
import { labelsField, type Field } from '../../ui/form/fields.ts'

export function useMemberFields(): readonly Field[] {
  const reach = useReach()
  const { spec } = useMember()
  const inView = useTenantInView()
  const organizations = useAll('/v1/organizations', undefined, { enabled: reach === 'operator' }).data ?? []
  const { tenants } = useTenants()
  const place: Field[] = reach === 'tenant' ? [] : [
    { name: 'tenant', label: 'Tenant', kind: 'select', fixed: true, initial: inView ?? '', options: (tenants ?? []).map((t) => ({ value: t.id, label: t.spec.display_name || t.spec.name })), hint: 'None: a person above tenants.' },
  ]
  if (reach === 'operator') {
    place.push({ name: 'organization', label: 'Organization', kind: 'select', fixed: true, options: organizations.map((o) => ({ value: o.id, label: o.spec.display_name || o.spec.name })), when: (t) => !t.tenant, hint: 'Neither tenant nor organization: an operator of the installation.' })
  }
  const home: Field[] = reach === 'tenant'
    ? [{ name: 'tenant', label: 'Tenant', kind: 'text', fixed: true, initial: spec.tenant ?? '', when: () => true, advanced: true, hint: 'People of a tenant belong to it.' }]
    : []
  return [
    { name: 'email', label: 'E-mail', kind: 'email', required: true, fixed: true },
    { name: 'display_name', label: 'Name', kind: 'text', required: true },
    ...place,
    ...home,
    { name: 'password', label: 'Password', kind: 'password', place: 'top', fixed: true, hint: 'Leave it empty and one is made and shown once.' },
    labelsField(),
  ]
}
