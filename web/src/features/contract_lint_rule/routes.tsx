// Lint rules: what every contract has to look like; the list, and one.
import { useParams } from '@tanstack/react-router'
import { kindNamed } from '../../app/kinds.ts'
import { useDialogInAddress } from '../../app/search.ts'
import { Button } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { CodeBlock } from '../../ui/copyable.tsx'
import { Crumb, Crumbs } from '../../ui/crumbs.tsx'
import { Facts, Section } from '../../ui/facts.tsx'
import { words } from '../../ui/format.ts'
import { Labels } from '../../ui/labels.tsx'
import { Collection, PageHead } from '../../ui/list-page.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { ObjectPage } from '../../ui/object-page.tsx'
import { Age } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { EXAMPLES, useLintRuleFields } from './forms.ts'
import { LINT_RULES, useLintRule, useLintRules, type LintRule } from './queries.ts'

const KIND = kindNamed('ContractLintRule')!

export function LintRulesPage() {
  const create = useDialogInAddress('create')
  const list = useLintRules()
  const fields = useLintRuleFields()
  const environmentName = useNames('/v1/environments')
  const button = <Button tone="primary" icon="plus" onClick={create.show}>Create lint rule</Button>
  const columns: Column<LintRule>[] = [
    { key: 'name', label: 'Name', cell: (r) => <ObjectLink id={r.id} name={r.spec.display_name} />, sort: (r) => r.spec.display_name },
    { key: 'mode', label: 'Mode', cell: (r) => words(r.spec.mode), sort: (r) => r.spec.mode },
    { key: 'environment', label: 'Contracts of', cell: (r) => (r.spec.environment ? <ObjectLink id={r.spec.environment} name={environmentName(r.spec.environment)} /> : 'all environments'), sort: (r) => environmentName(r.spec.environment ?? undefined) },
    { key: 'message', label: 'Says', cell: (r) => r.spec.message },
    { key: 'changed', label: 'Changed', cell: (r) => <Age at={r.metadata.updated_at} />, sort: (r) => r.metadata.updated_at },
  ]
  return (
    <>
      <PageHead title="Lint rules" intro="What every contract has to look like, asked when a version is registered, from the console and by serializers alike." actions={button} />
      <Collection
        list={list} caption="Lint rules" noun={['lint rule', 'lint rules']} columns={columns}
        text={(r) => `${r.spec.display_name} ${r.spec.message} ${r.spec.expression} ${r.spec.mode}`}
        empty={{ title: 'No lint rules yet', text: 'Ask for an owner, for documentation, for names of one form. Begin with auditing: you see what would be refused before it is.', action: button }}
      />
      <ChangeDialog open={create.open} title="Create a lint rule" act="Create lint rule" fields={fields} intro={<Beginnings />} call={() => ({ method: 'post', path: LINT_RULES })} onClose={create.close} onDone={() => undefined} />
    </>
  )
}

function Beginnings() {
  return (
    <details>
      <summary>Expressions to begin with</summary>
      <div className="stack">{EXAMPLES.map(([what, expression]) => <div key={what}><p className="muted">{what}</p><CodeBlock text={expression} label={what} wrap /></div>)}</div>
    </details>
  )
}

export function LintRulePage() {
  const { id } = useParams({ strict: false })
  const fields = useLintRuleFields()
  const environmentName = useNames('/v1/environments')
  return (
    <ObjectPage
      kind={KIND} query={useLintRule(id)} fields={fields}
      deletes="Versions are registered without being asked for it. What stands stays as it is."
      crumbs={() => <Crumbs><Crumb to="/contracts">Contracts</Crumb><Crumb to="/contract-lint-rules">Lint rules</Crumb></Crumbs>}
    >
      {({ spec, metadata }) => (
        <>
          <Facts items={[
            ['Mode', spec.mode === 'ENFORCE' ? 'Enforce: a version that is not good is refused' : 'Audit: a version that is not good passes, and is told'],
            ['Contracts of', spec.environment ? <ObjectLink key="e" id={spec.environment} name={environmentName(spec.environment)} /> : 'all environments'],
            ['Says', spec.message],
            !!spec.description && ['Why', spec.description],
            ['Labels', <Labels key="l" labels={metadata.labels} />],
          ]} />
          <Section title="Expression" note="A version is good if this is true of it."><CodeBlock text={spec.expression} label="expression" wrap /></Section>
        </>
      )}
    </ObjectPage>
  )
}
