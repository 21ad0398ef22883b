// One version: what it says, its tags and its rules.
import type { ContractVersion } from '../../api/types.ts'
import { CodeBlock } from '../../ui/copyable.tsx'
import { Facts, Section } from '../../ui/facts.tsx'
import { PartMissing, Skeleton } from '../../ui/states.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { useContractVersion } from './queries.ts'
import { ruleRows, type RuleRow } from './rules.ts'
import { printSchema } from './schema-text.ts'

export function Version({ contract, subject, version }: { contract: string; subject: string; version: number }) {
  const query = useContractVersion(contract, version)
  if (query.isPending) return <Skeleton label="Reading the version" />
  if (!query.data) return <PartMissing what="The version" error={query.error} again={() => void query.refetch()} />
  return <Found subject={subject} found={query.data} />
}

function Found({ subject, found }: { subject: string; found: ContractVersion }) {
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
      <Rules found={found} />
      <Tags found={found} />
      <Section title="Schema">
        <CodeBlock text={printSchema(found.schema)} label="schema" file={`${subject}-v${found.version}.${found.format === 'PROTOBUF' ? 'proto' : 'json'}`} />
      </Section>
    </>
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
