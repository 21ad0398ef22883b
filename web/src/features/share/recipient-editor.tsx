// To whom a share goes: a tenant, an e-mail address, or whoever has the link.
import { useId } from 'react'
import type { CustomProps, Option } from '../../ui/form/fields.ts'
import { Faults } from '../job/faults.tsx'
import { readRecipient, type RecipientDraft } from './draft.ts'

const KINDS: readonly { value: RecipientDraft['kind']; label: string; does: string }[] = [
  { value: 'TENANT', label: 'A tenant', does: 'It finds the share among those it receives.' },
  { value: 'EMAIL', label: 'An e-mail address', does: 'You hand on a link that only the member with this address can take.' },
  { value: 'LINK', label: 'Whoever has the link', does: 'You hand on a link; the first tenant to take it has the share.' },
]

export function RecipientEditor({ id, text, faults, onChange, tenants }: CustomProps & { tenants: readonly Option[] }) {
  const draft = readRecipient(text)
  const name = useId()
  const put = (part: Partial<RecipientDraft>) => onChange(JSON.stringify({ ...draft, ...part }), [])
  const wrong = faults.length > 0
  const tied = { 'aria-invalid': wrong || undefined, 'aria-describedby': wrong ? `${id}-faults` : undefined }
  return (
    <div className="prices" id={id} role="group" aria-label="Recipient" tabIndex={-1}>
      <fieldset className="choices">
        <legend className="hidden-visually">Kind of recipient</legend>
        {KINDS.map((kind) => (
          <label className="check" key={kind.value}>
            <input type="radio" name={name} value={kind.value} checked={draft.kind === kind.value} onChange={() => put({ kind: kind.value })} />
            <span>{kind.label}<span className="hint"> {kind.does}</span></span>
          </label>
        ))}
      </fieldset>
      {draft.kind === 'TENANT' && (
        <>
          <input type="text" className={`mono ${wrong ? 'wrong' : ''}`} aria-label="Tenant" placeholder="tenant_01j…" list={`${id}-tenants`} autoComplete="off" spellCheck={false} value={draft.tenant} {...tied} onChange={(event) => put({ tenant: event.target.value })} />
          <datalist id={`${id}-tenants`}>{tenants.map((t) => <option key={t.value} value={t.value}>{t.label}</option>)}</datalist>
          <p className="hint">Ask them for the id of their tenant; it stands on their tenant’s page.</p>
        </>
      )}
      {draft.kind === 'EMAIL' && <input type="email" className={wrong ? 'wrong' : undefined} aria-label="E-mail address" placeholder="name@example.com" autoComplete="off" value={draft.email} {...tied} onChange={(event) => put({ email: event.target.value })} />}
      <Faults id={`${id}-faults`} faults={faults} />
    </div>
  )
}
