// One version: what it says, its tags and its rules.
import { useMemo } from 'react'
import type { ContractVersion } from '../../api/types.ts'
import { CodeBlock } from '../../ui/copyable.tsx'
import { Facts, Section } from '../../ui/facts.tsx'
import { ObjectLink } from '../../ui/object-link.tsx'
import { PartMissing, Skeleton } from '../../ui/states.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { useContractVersion, useResolved } from './queries.ts'
import { engineOf } from './draft.ts'
import { ruleRows, type RuleRow } from './rules.ts'
import { SamplesPane } from './samples-pane.tsx'
import { printSchema } from './schema-text.ts'

interface VersionProps {
  contract: string
  subject: string
  environment: string | undefined
  version: number
}

export function Version({ contract, subject, environment = '', version }: VersionProps) {
  const query = useContractVersion(contract, version)
  if (query.isPending) return <Skeleton label="Reading the version" />
  if (!query.data) return <PartMissing what="The version" error={query.error} again={() => void query.refetch()} />
  return <Found subject={subject} environment={environment} found={query.data} />
}

function Found({ subject, environment, found }: { subject: string; environment: string; found: ContractVersion }) {
  const properties = Object.entries(found.properties)
  return (
    <>
      <Section title={`Version ${found.version}`}>
        <Facts items={[
          ['Format', found.format],
          ['Schema id', <code key="i">{found.schema_id}</code>],
          ['GUID', <code key="g">{found.guid}</code>],
          found.references.length > 0 && ['Refers to', <code key="r" className="lines">{found.references.map((r) => `${r.name}: ${r.subject}, version ${r.version}`).join('\n')}</code>],
          properties.length > 0 && ['Properties', <code key="p" className="lines">{properties.map(([name, value]) => `${name}=${value}`).join('\n')}</code>],
        ]} />
      </Section>
      <Findings findings={(found as ContractVersion & { findings?: Finding[] }).findings ?? []} />
      <Rules found={found} />
      <Tags found={found} />
      <Section title="Schema">
        <CodeBlock text={printSchema(found.schema)} label="schema" file={`${subject}-v${found.version}.${found.format === 'PROTOBUF' ? 'proto' : 'json'}`} />
      </Section>
      <Section title="Try records"><Trial environment={environment} found={found} /></Section>
    </>
  )
}

/** What a lint rule said of a version. */
interface Finding {
  rule_id: string
  rule: string
  message: string
}

function Findings({ findings }: { findings: readonly Finding[] }) {
  if (findings.length === 0) return null
  return (
    <Section title="Said by lint rules" note="When it was registered. Nothing follows from it: these rules only tell.">
      <ul className="problems">{findings.map((finding) => <li key={finding.rule_id} className="note-only"><ObjectLink id={finding.rule_id} name={finding.rule} />: {finding.message}</li>)}</ul>
    </Section>
  )
}

const ruleColumns: readonly Column<RuleRow>[] = [
  { key: 'name', label: 'Rule', cell: (r) => <span title={r.doc || undefined}>{r.name || <span className="muted">without a name</span>}{r.disabled && <span className="muted"> (off)</span>}</span> },
  { key: 'expression', label: 'Expression', cell: (r) => <code className="lines">{r.expression || r.type}</code> },
  { key: 'kind', label: 'Does', cell: (r) => `${r.list} ${r.kind} on ${r.mode}` },
  { key: 'type', label: 'Type', cell: (r) => r.type },
  { key: 'tags', label: 'For tags', cell: (r) => r.tags || <span className="muted">all</span> },
  { key: 'failure', label: 'On failure', cell: (r) => r.onFailure },
]

function Rules({ found }: { found: ContractVersion }) {
  const rows = ruleRows(found.rule_set)
  return (
    <Section title="Rules" note="Conditions are judged at the gateway where a topic enforces its contract, whatever client produces.">
      {rows.length === 0 ? <p className="muted">None: a record only has to be of the schema.</p> : <Table caption="Rules" rows={rows} columns={ruleColumns} id={(r) => r.key} still />}
    </Section>
  )
}

interface Tagged {
  path: string
  tags: readonly string[]
}
const tagColumns: readonly Column<Tagged>[] = [
  { key: 'path', label: 'Field', cell: (t) => <code>{t.path}</code> },
  { key: 'tags', label: 'Tags', cell: (t) => t.tags.map((tag) => <span key={tag} className="tag off">{tag}</span>) },
]

function Tags({ found }: { found: ContractVersion }) {
  const rows = Object.entries(found.tags).map(([path, tags]) => ({ path, tags }))
  if (rows.length === 0) return null
  return <Section title="Tags"><Table caption="Tags by field" rows={rows} columns={tagColumns} id={(t) => t.path} still /></Section>
}

function Trial({ environment, found }: { environment: string; found: ContractVersion }) {
  const references = useResolved(found.references, environment)
  const draft = useMemo(() => references.data && engineOf(found, references.data), [found, references.data])
  if (references.error) return <PartMissing what="What it refers to" error={references.error} again={() => void references.refetch()} />
  return <SamplesPane draft={draft} />
}
