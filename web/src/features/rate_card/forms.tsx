// What a rate card is asked for.
import { useAll } from '../../api/hooks.ts'
import { useReach } from '../../app/session.tsx'
import { useTenants } from '../../app/tenant.tsx'
import { labelsField, type Field } from '../../ui/form/fields.ts'
import { parseName, type Parsed } from '../../ui/form/parse.ts'
import { parsePrices } from './prices.ts'
import { PricesEditor } from './prices-editor.tsx'

function parseCurrency(text: string): Parsed<string> {
  const value = text.trim().toUpperCase()
  return /^[A-Z]{3}$/.test(value) ? { ok: true, value } : { ok: false, error: 'Three letters, such as EUR' }
}

/** Cards begin on a whole hour in UTC; the field is local time, which may be half an hour off. */
function parseHour(text: string): Parsed<string> {
  const at = new Date(text)
  if (Number.isNaN(at.getTime())) return { ok: false, error: 'A date and time is needed' }
  return at.getTime() % 3_600_000 === 0 ? { ok: true, value: at.toISOString() } : { ok: false, error: 'A whole hour (in UTC)' }
}

export function useCardFields(): readonly Field[] {
  const operator = useReach() === 'operator'
  const organizations = useAll('/v1/organizations', undefined, { enabled: operator }).data ?? []
  const tenants = useTenants().tenants ?? []
  return [
    { name: 'name', label: 'Name', kind: 'text', required: true, parse: parseName },
    { name: 'organization', label: 'For organization', kind: 'select', options: organizations.map((o) => ({ value: o.id, label: o.spec.display_name || o.spec.name })), when: (t) => !t.tenant, hint: 'Neither organization nor tenant: for everybody.' },
    { name: 'tenant', label: 'For tenant', kind: 'select', options: tenants.map((t) => ({ value: t.id, label: t.spec.display_name || t.spec.name })), when: (t) => !t.organization, hint: 'A tenant’s own card goes before its organization’s, and that before the general one.' },
    { name: 'currency', label: 'Currency', kind: 'text', required: true, initial: 'EUR', parse: parseCurrency },
    { name: 'effective_from', label: 'In force from', kind: 'moment', required: true, parse: parseHour, hint: 'A whole hour, your local time; until the next card for the same audience.' },
    {
      name: 'prices', label: 'Prices', kind: 'custom', required: true, parse: parsePrices, print: (value) => JSON.stringify(value),
      render: ({ id, text, onChange }) => <PricesEditor id={id} text={text} onChange={onChange} />,
    },
    labelsField(),
  ]
}
