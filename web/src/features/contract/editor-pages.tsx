// The two ways into the editor: a new contract, and the next version of one that stands.
import { useParams } from '@tanstack/react-router'
import { useId, useMemo, useState } from 'react'
import { useAll } from '../../api/hooks.ts'
import type { Contract, ContractVersion } from '../../api/types.ts'
import { useAddress } from '../../app/search.ts'
import { Crumb, Crumbs, ObjectCrumb } from '../../ui/crumbs.tsx'
import { Section } from '../../ui/facts.tsx'
import { PageHead } from '../../ui/list-page.tsx'
import { Failure, Skeleton } from '../../ui/states.tsx'
import { draftOf, emptyDraft, engineOf, type Draft } from './draft.ts'
import { Editor, useEnvironmentChoices } from './editor.tsx'
import { useContract, useContractVersion, useResolved } from './queries.ts'
import { printSchema } from './schema-text.ts'

export function NewContractPage() {
  const { environment, subject } = useAddress()
  const [initial] = useState(() => emptyDraft(environment, subject))
  return (
    <>
      <PageHead title="New contract" crumbs={<Crumbs><Crumb to="/contracts">Contracts</Crumb></Crumbs>} intro="A schema, and what else is promised of its records. What you write is checked while you write it." />
      <Editor initial={initial} place={(draft, put) => <Place draft={draft} put={put} />} />
    </>
  )
}

function Place({ draft, put }: { draft: Draft; put: (change: Partial<Draft>) => void }) {
  const id = useId()
  const choices = useEnvironmentChoices()
  const topics = useAll('/v1/topics').data ?? []
  const names = [...new Set(topics.map((topic) => topic.spec.name))]
  return (
    <Section title="Where">
      <div className="form-grid">
        <div className="field">
          <label htmlFor={`${id}-environment`}>Environment</label>
          <select id={`${id}-environment`} value={draft.environment} onChange={(event) => put({ environment: event.target.value, references: [] })}>
            <option value="">The tenant’s own: no topic takes it</option>
            {choices.map((choice) => <option key={choice.value} value={choice.value}>{choice.label}</option>)}
          </select>
        </div>
        <div className="field">
          <label htmlFor={`${id}-subject`}>Subject</label>
          <input id={`${id}-subject`} type="text" list={`${id}-subjects`} required value={draft.subject} onChange={(event) => put({ subject: event.target.value })} autoComplete="off" spellCheck={false} aria-describedby={`${id}-hint`} />
          <datalist id={`${id}-subjects`}>{names.map((name) => <option key={name} value={`${name}-value`} />)}</datalist>
          <p className="hint" id={`${id}-hint`}>The name of a topic and <code>-value</code> or <code>-key</code>, as serializers name it.</p>
        </div>
      </div>
    </Section>
  )
}

export function NewVersionPage() {
  const { id } = useParams({ strict: false })
  const [begun, setBegun] = useState<Begun | undefined>(undefined)
  const contract = useContract(id)
  const version = useContractVersion(id ?? '', contract.data?.status.latest.version)
  const references = useResolved(version.data?.references, contract.data?.spec.environment ?? '')
  // What stood when the editor was opened: a version that comes meanwhile is seen in the plan, and does not move the text.
  if (begun?.at !== id && contract.data && version.data && references.data) setBegun({ at: id, contract: contract.data, version: version.data, references: references.data })
  if (begun && begun.at === id) return <NextVersion key={id} {...begun} />
  const error = contract.error ?? version.error ?? references.error
  const again = () => void Promise.all([contract.refetch(), version.refetch(), references.refetch()])
  return <><PageHead title="New version" />{error ? <Failure error={error} again={again} /> : <Skeleton label="Reading the newest version" />}</>
}

interface Begun {
  /** The id in the address. */
  at: string | undefined
  contract: Contract
  version: ContractVersion
  references: { name: string; schema: string }[]
}

function NextVersion({ contract, version, references }: Begun) {
  const { subject, environment = '' } = contract.spec
  const initial = useMemo(() => draftOf(version, subject, printSchema(version.schema), environment), [version, subject, environment])
  const standing = useMemo(() => ({ contract: contract.id, version: version.version, level: contract.status.compatibility, engine: engineOf(version, references) }), [contract, version, references])
  return (
    <>
      <PageHead title={`New version of ${subject}`} crumbs={<Crumbs><Crumb to="/contracts">Contracts</Crumb><ObjectCrumb id={contract.id} name={subject} /></Crumbs>} intro={`It begins as version ${version.version}. What you write is checked while you write it.`} />
      <Editor initial={initial} standing={standing} />
    </>
  )
}
