// Fields on the screen: label, control, hint and error tied together for screen readers.
import { useId, useState, type ReactNode } from 'react'
import type { CustomProps, Field, Faults, Texts } from './fields.ts'
import type { Fault } from './parse.ts'

interface FormFieldsProps {
  fields: readonly Field[]
  texts: Texts
  errors: Record<string, string | undefined>
  faults?: Faults
  onChange: (name: string, text: string, faults?: readonly Fault[]) => void
  /** The object exists: fixed fields are shown, not asked. */
  editing?: boolean
}

export function FormFields({ fields, texts, errors, faults = {}, onChange, editing = false }: FormFieldsProps) {
  const shown = fields.filter((f) => !f.when || f.when(texts))
  const advanced = shown.filter((f) => f.advanced)
  const troubled = advanced.some((f) => errors[f.name] || (faults[f.name]?.length ?? 0) > 0)
  const [unfolded, setUnfolded] = useState(false)
  const control = (field: Field) => (
    <FormField key={field.name} field={field} text={texts[field.name] ?? ''} error={errors[field.name]} faults={faults[field.name]} fixed={editing && field.fixed} onChange={(text, left) => onChange(field.name, text, left)} />
  )
  return (
    <div className="form-fields">
      {shown.filter((f) => !f.advanced).map(control)}
      {advanced.length > 0 && (
        <details open={unfolded || troubled} onToggle={(event) => setUnfolded(event.currentTarget.open)}>
          <summary>More settings</summary>
          <div className="form-fields">{advanced.map(control)}</div>
        </details>
      )}
    </div>
  )
}

interface FormFieldProps {
  field: Field
  text: string
  error?: string
  faults?: readonly Fault[]
  fixed?: boolean
  onChange: CustomProps['onChange']
}

function FormField({ field, text, error, faults = [], fixed, onChange }: FormFieldProps) {
  const id = useId()
  const described = [field.hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined
  const common = {
    id,
    name: field.name,
    value: text,
    required: field.required,
    disabled: fixed,
    'aria-invalid': error ? true : undefined,
    'aria-describedby': described,
    onChange: (event: { target: { value: string } }) => onChange(event.target.value),
  }
  return (
    <div className={`field ${error ? 'wrong' : ''}`}>
      <label htmlFor={id}>
        {field.label}
        {!field.required && <span className="optional"> optional</span>}
      </label>
      {field.kind === 'custom' ? field.render?.({ id, text, invalid: error !== undefined, faults, onChange }) : control(field, common, id)}
      {field.hint && <p className="hint" id={`${id}-hint`}>{fixed ? 'Cannot be changed.' : field.hint}</p>}
      {error && <p className="field-error" id={`${id}-error`}>{error}</p>}
    </div>
  )
}

type Common = Record<string, unknown> & { id: string }

function control(field: Field, common: Common, id: string): ReactNode {
  switch (field.kind) {
    case 'textarea': return <textarea {...common} rows={3} />
    case 'pairs': return <textarea {...common} rows={3} className="mono" spellCheck={false} />
    case 'select':
      return (
        <select {...common}>
          {!(field.required && field.initial) && <option value="">{field.required ? 'Choose…' : 'None'}</option>}
          {field.options?.map((o) => <option key={o.value} value={o.value}>{o.label}</option>)}
        </select>
      )
    case 'suggest':
      return (
        <>
          <input {...common} type="text" list={`${id}-list`} autoComplete="off" className="mono" spellCheck={false} />
          <datalist id={`${id}-list`}>{field.options?.map((o) => <option key={o.value} value={o.value}>{o.label}</option>)}</datalist>
        </>
      )
    case 'whole': return <input {...common} type="text" inputMode="numeric" autoComplete="off" className="tabular" />
    case 'moment': return <input {...common} type="datetime-local" />
    case 'email': return <input {...common} type="email" autoComplete="off" />
    case 'password': return <input {...common} type="password" autoComplete="new-password" />
    default: return <input {...common} type="text" autoComplete="off" spellCheck={false} />
  }
}
