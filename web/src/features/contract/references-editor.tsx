// What a schema refers to, picked from the subjects beside it.
import { useId } from 'react'
import { useAll } from '../../api/hooks.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import type { Reference } from './wire.ts'

interface ReferencesEditorProps {
  references: readonly Reference[]
  environment: string
  /** Not itself. */
  subject: string
  onChange: (references: Reference[]) => void
}

export function ReferencesEditor({ references, environment, subject, onChange }: ReferencesEditorProps) {
  const id = useId()
  const contracts = (useAll('/v1/contracts', environment === '' ? undefined : { environment }).data ?? [])
    .filter((contract) => (contract.spec.environment ?? '') === environment && contract.spec.subject !== subject)
  const put = (at: number, change: Partial<Reference>) => onChange(references.map((each, index) => (index === at ? { ...each, ...change } : each)))
  const choose = (at: number, of: string) => {
    const found = contracts.find((contract) => contract.spec.subject === of)
    const old = references[at]!
    // Until somebody names it otherwise, it is called as its subject.
    put(at, { subject: of, version: found?.status.latest.version ?? 1, ...((old.name === '' || old.name === old.subject) && { name: of }) })
  }
  return (
    <div className="references">
      <datalist id={`${id}-subjects`}>{contracts.map((contract) => <option key={contract.id} value={contract.spec.subject} />)}</datalist>
      <ol>
        {references.map((reference, at) => {
          const found = contracts.find((contract) => contract.spec.subject === reference.subject)
          const versions = found?.status.versions ?? []
          return (
            <li key={at} className="reference-line">
              <input type="text" list={`${id}-subjects`} aria-label={`Subject of reference ${at + 1}`} placeholder="Subject" value={reference.subject} onChange={(event) => choose(at, event.target.value)} autoComplete="off" spellCheck={false} />
              <select aria-label={`Version of reference ${at + 1}`} value={reference.version} onChange={(event) => put(at, { version: Number(event.target.value) })}>
                {(versions.includes(reference.version) ? versions : [reference.version, ...versions]).map((version) => <option key={version} value={version}>version {version}</option>)}
              </select>
              <input type="text" className="mono" aria-label={`Name of reference ${at + 1} in the schema`} placeholder="Name in the schema" value={reference.name} onChange={(event) => put(at, { name: event.target.value })} autoComplete="off" spellCheck={false} />
              <IconButton icon="close" label={`Remove reference ${reference.name}`} onClick={() => onChange(references.filter((_, index) => index !== at))} />
              {reference.subject !== '' && !found && contracts.length > 0 && <span className="field-error">There is no such subject here.</span>}
            </li>
          )
        })}
      </ol>
      <Button icon="plus" onClick={() => onChange([...references, { name: '', subject: '', version: 1 }])}>Add reference</Button>
      {references.length > 0 && <p className="hint">The name is a full name in Avro, what stands in <code>$ref</code> in JSON Schema, an import path in Protobuf.</p>}
    </div>
  )
}
