// What a member is asked for.
import { useAll } from '../../api/hooks.ts'
import { useReach } from '../../app/session.tsx'
import { useTenants, useTenantInView } from '../../app/tenant.tsx'
import { labelsField, type Field } from '../../ui/form/fields.ts'
import type { Parsed } from '../../ui/form/parse.ts'

const PASSWORD_LENGTH_MIN = 12

function parsePassword(text: string): Parsed<string> {
  return text.length < PASSWORD_LENGTH_MIN ? { ok: false, error: `At least ${PASSWORD_LENGTH_MIN} characters` } : { ok: true, value: text }
}

export function useMemberFields(): readonly Field[] {
  const reach = useReach()
  const inView = useTenantInView()
  const organizations = useAll('/v1/organizations', undefined, { enabled: reach === 'operator' }).data ?? []
  const { tenants } = useTenants()
  const place: Field[] = reach === 'tenant' ? [] : [
    { name: 'tenant', label: 'Tenant', kind: 'select', fixed: true, initial: inView ?? '', options: (tenants ?? []).map((t) => ({ value: t.id, label: t.spec.display_name || t.spec.name })), hint: 'None: a person above tenants.' },
  ]
  if (reach === 'operator') {
    place.push({ name: 'organization', label: 'Organization', kind: 'select', fixed: true, options: organizations.map((o) => ({ value: o.id, label: o.spec.display_name || o.spec.name })), when: (t) => !t.tenant, hint: 'Neither tenant nor organization: an operator of the installation.' })
  }
  return [
    { name: 'email', label: 'E-mail', kind: 'email', required: true, fixed: true },
    { name: 'display_name', label: 'Name', kind: 'text' },
    ...place,
    { name: 'password', label: 'Password', kind: 'password', place: 'top', fixed: true, hint: 'At least 12 characters. Leave it empty and one is made and shown once.', parse: parsePassword },
    labelsField(),
  ]
}
