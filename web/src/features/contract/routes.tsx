// Contracts: the catalog, and one with its versions.
import { useParams } from '@tanstack/react-router'
import { useAll } from '../../api/hooks.ts'
import type { Contract } from '../../api/types.ts'
import { kindNamed } from '../../app/kinds.ts'
import { useAddress, useSetAddress } from '../../app/search.ts'
import { LinkButton } from '../../ui/button.tsx'
import { Crumb, Crumbs } from '../../ui/crumbs.tsx'
import { CodeBlock } from '../../ui/copyable.tsx'
import { Facts, Section, Tabs } from '../../ui/facts.tsx'
import type { Field } from '../../ui/form/fields.ts'
import { words } from '../../ui/format.ts'
import { Labels } from '../../ui/labels.tsx'
import { Collection, PageHead } from '../../ui/list-page.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { ObjectPage } from '../../ui/object-page.tsx'
import { Age } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { Lineage } from '../lineage/lineage.tsx'
import { ProductTable } from '../share/product-table.tsx'
import { Compare } from './compare.tsx'
import { COMPATIBILITIES } from './level-text.ts'
import { useContract, useContracts } from './queries.ts'
import { Version } from './version.tsx'

const KIND = kindNamed('Contract')!
/** All else is said by versions. */
const FIELDS: readonly Field[] = [{ name: 'compatibility', label: 'New versions must be', kind: 'select', options: COMPATIBILITIES, hint: 'None here: what the environment or the tenant says.' }]
const REGISTER = `curl -u "$KEY_ID:$SECRET" -H 'Content-Type: application/json' \\
  "$WEIR_URL/registry/subjects/payments-value/versions" \\
  -d '{"schemaType": "JSON", "schema": "{\\"type\\": \\"object\\"}"}'`

export function ContractsPage() {
  const { environment, q } = useAddress()
  const set = useSetAddress()
  const list = useContracts({ environment, q })
  const environments = useAll('/v1/environments').data ?? []
  const environmentName = useNames('/v1/environments')
  const columns: Column<Contract>[] = [
    { key: 'subject', label: 'Subject', cell: (c) => <ObjectLink id={c.id} name={c.spec.subject} />, sort: (c) => c.spec.subject },
    { key: 'environment', label: 'Environment', cell: (c) => (c.spec.environment ? <ObjectLink id={c.spec.environment} name={environmentName(c.spec.environment)} /> : <span className="muted">the tenant’s own</span>), sort: (c) => environmentName(c.spec.environment) },
    { key: 'owner', label: 'Owner', cell: (c) => c.status.owner ?? <span className="muted">nobody</span>, sort: (c) => c.status.owner },
    { key: 'format', label: 'Format', cell: (c) => c.status.latest.format, sort: (c) => c.status.latest.format },
    { key: 'version', label: 'Version', align: 'right', cell: (c) => c.status.latest.version, sort: (c) => c.status.latest.version },
    { key: 'rules', label: 'Rules', cell: (c) => (c.status.latest.has_rules ? 'yes' : <span className="muted">none</span>), sort: (c) => (c.status.latest.has_rules ? 1 : 0) },
    { key: 'changed', label: 'Changed', cell: (c) => <Age at={c.metadata.updated_at} />, sort: (c) => c.metadata.updated_at },
  ]
  const filters = (
    <select aria-label="Environment" value={environment ?? ''} onChange={(event) => set({ environment: event.target.value || undefined })}>
      <option value="">All environments</option>
      {environments.map((e) => <option key={e.id} value={e.id}>{e.spec.name}</option>)}
    </select>
  )
  const yours = () => (
    <Collection
      // The server has filtered: every row that it answered matches.
      list={list} caption="Contracts" noun={['contract', 'contracts']} columns={columns} text={() => q ?? ''} filters={filters}
      narrowed={environment !== undefined || q !== undefined}
      empty={{ title: 'No contracts yet', text: <>Serializers register them by themselves, once they have the address of the registry and an API key. Or by hand:<CodeBlock text={REGISTER} label="registration" wrap /></> }}
    />
  )
  return (
    <>
      <PageHead title="Contracts" actions={<LinkButton to="/contracts/new" search={{ environment }} tone="primary" icon="plus">New contract</LinkButton>} intro="What producers and consumers agreed on: schemas, rules and owners, as the registry has them. The filter looks into schemas, tags and properties, too. What other tenants list is beside them." />
      <Tabs label="Whose" tabs={[
        { key: 'yours', label: 'Yours', content: yours },
        { key: 'others', label: 'From others', content: () => <ProductTable /> },
      ]} />
    </>
  )
}

export function ContractPage() {
  const { id } = useParams({ strict: false })
  const environmentName = useNames('/v1/environments')
  return (
    <ObjectPage
      kind={KIND} query={useContract(id)} title={(c) => c.spec.subject} crumbs={() => <Crumbs><Crumb to="/contracts">Contracts</Crumb></Crumbs>}
      fields={FIELDS} deletes="Its versions are good for records no more: where a topic enforces this contract, what is written with them breaks it."
      actions={(c) => <LinkButton to="/contracts/$id/new" params={{ id: c.id }} tone="primary" icon="plus">New version</LinkButton>}
    >
      {(contract) => (
        <Tabs
          label={`Parts of contract ${contract.spec.subject}`}
          tabs={[
            { key: 'overview', label: 'Overview', content: () => <Overview contract={contract} environment={environmentName(contract.spec.environment)} /> },
            { key: 'versions', label: 'Versions', content: () => <Versions contract={contract} /> },
            { key: 'lineage', label: 'Lineage', content: () => <Lineage of={{ contract_id: contract.id }} /> },
          ]}
        />
      )}
    </ObjectPage>
  )
}

function Overview({ contract, environment }: { contract: Contract; environment: string | undefined }) {
  const { spec, status, metadata } = contract
  return (
    <>
      <Section title="Agreed on">
        <Facts items={[
          ['Environment', spec.environment ? <ObjectLink key="e" id={spec.environment} name={environment} /> : 'the tenant’s own'],
          ['Owner', status.owner ?? <span key="o" className="muted">nobody: the property <code>owner</code> of a version says who</span>],
          ['New versions must be', status.compatibility === 'NONE' ? 'anything' : `${words(status.compatibility)} compatible`],
          ['Versions', status.versions.join(', ')],
          ['Labels', <Labels key="l" labels={metadata.labels} />],
        ]} />
      </Section>
      <Version contract={contract.id} subject={spec.subject} environment={spec.environment} version={status.latest.version} />
    </>
  )
}

function Versions({ contract }: { contract: Contract }) {
  const { version, against } = useAddress()
  const set = useSetAddress()
  const numbers = [...contract.status.versions].reverse()
  const chosen = numbers.find((n) => String(n) === version) ?? contract.status.latest.version
  const other = numbers.find((n) => String(n) === against)
  return (
    <>
      <div className="toolbar">
        <label>Version <select value={chosen} onChange={(event) => set({ version: event.target.value })}>{numbers.map((n) => <option key={n}>{n}</option>)}</select></label>
        <label>beside <select value={other ?? ''} onChange={(event) => set({ against: event.target.value || undefined })}><option value="">nothing</option>{numbers.filter((n) => n !== chosen).map((n) => <option key={n}>{n}</option>)}</select></label>
      </div>
      {other === undefined || other === chosen
        ? <Version contract={contract.id} subject={contract.spec.subject} environment={contract.spec.environment} version={chosen} />
        : <Compare contract={contract.id} before={Math.min(other, chosen)} after={Math.max(other, chosen)} />}
    </>
  )
}
