// Controls of the quota form: whose it is, and how much.
import { LIMITS, namesPrincipals, principalsOf, readInputs, readSubject, SUBJECTS, type Subject } from './quota.ts'

interface EditorProps {
  id: string
  text: string
  onChange: (text: string) => void
}

export function LimitsEditor({ id, text, onChange }: EditorProps) {
  const inputs = readInputs(text)
  return (
    <div className="prices" id={id} role="group" aria-label="Limits" tabIndex={-1}>
      {LIMITS.map(({ name, label, example }) => (
        <label className="price-line" key={name}>
          <input className="tabular" placeholder={example} aria-label={label} value={inputs[name] ?? ''} onChange={(event) => onChange(JSON.stringify({ ...inputs, [name]: event.target.value }))} />
          <span>{label}</span>
        </label>
      ))}
    </div>
  )
}

interface SubjectEditorProps extends EditorProps {
  accounts: readonly { id: string; name: string }[]
}

export function SubjectEditor({ id, text, onChange, accounts }: SubjectEditorProps) {
  const subject = readSubject(text)
  const chosen = principalsOf(subject)
  const put = (kind: Subject['kind'], principals: readonly string[]) => onChange(JSON.stringify(namesPrincipals(kind) ? { kind, principals } : { kind }))
  return (
    <div className="prices" id={id} role="group" aria-label="For whom" tabIndex={-1}>
      <select aria-label="Kind of subject" value={subject.kind} onChange={(event) => put(event.target.value as Subject['kind'], chosen)}>
        {SUBJECTS.map((s) => <option key={s.kind} value={s.kind}>{s.label}</option>)}
      </select>
      {namesPrincipals(subject.kind) && accounts.map((account) => (
        <label className="check" key={account.id}>
          <input
            type="checkbox" checked={chosen.includes(account.id)}
            onChange={(event) => put(subject.kind, event.target.checked ? [...chosen, account.id] : chosen.filter((it) => it !== account.id))}
          />
          {account.name}
        </label>
      ))}
    </div>
  )
}
