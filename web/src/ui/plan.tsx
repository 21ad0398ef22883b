// A plan as the API answers it: what would be made, changed or destroyed, and the call that would do it.
import { Fragment } from 'react'
import type { Call } from '../api/client.ts'
import type { Plan } from '../api/types.ts'
import { nameOf, nounOf } from '../app/kinds.ts'
import { curlOf } from './api-call.ts'
import { CodeBlock } from './copyable.tsx'
import { diffLeaves, inWords, printLeaf, type Leaf } from './diff.ts'
import { plural } from './format.ts'

type Change = Plan['changes'][number]

export function PlanView({ plan, call, tenant }: { plan: Plan; call: Call; tenant?: string }) {
  return (
    <div className="plan">
      <p className="note">
        {plan.changes.length === 0 ? 'Nothing would change.' : `${plural(plan.changes.length, 'change')}. Nothing is done yet.`}
      </p>
      <ol className="plan-changes">
        {plan.changes.map((change, index) => <PlanChange key={change.id ?? index} change={change} />)}
      </ol>
      <details className="plan-call">
        <summary>The same as an API call</summary>
        <CodeBlock text={curlOf(call, tenant)} label="API call" wrap />
      </details>
    </div>
  )
}

const VERBS: Record<string, { word: string; tone: string }> = {
  CREATE: { word: 'Create', tone: 'good' },
  UPDATE: { word: 'Change', tone: 'busy' },
  DELETE: { word: 'Delete', tone: 'bad' },
}

function PlanChange({ change }: { change: Change }) {
  const verb = VERBS[change.action.toUpperCase()] ?? { word: change.action, tone: 'off' }
  const noun = nounOf(change.kind)
  const object = (change.after ?? change.before) as { id: string; spec: object } | undefined
  const leaves = interesting(diffLeaves(change.before, change.after))
  return (
    <li>
      <p>
        <span className={`tag ${verb.tone}`}>{verb.word}</span> {noun} <strong>{object ? nameOf(object, change.id) : (change.id ?? '')}</strong>
      </p>
      {verb.tone !== 'bad' && <Differences leaves={leaves} />}
    </li>
  )
}

/** Stamps and versions move with every change; the reader wants to see what they themselves asked for. */
function interesting(leaves: Leaf[]): Leaf[] {
  const wished = leaves.filter((l) => l.path.startsWith('spec.') || l.path.startsWith('metadata.labels'))
  return wished.length > 0 ? wished : leaves.filter((l) => !/^(metadata|status|api_version|kind|id)\b/.test(l.path))
}

export function Differences({ leaves }: { leaves: readonly Leaf[] }) {
  if (leaves.length === 0) return null
  return (
    <table className="differences">
      <thead className="hidden-visually">
        <tr><th scope="col">Field</th><th scope="col">Before</th><th scope="col">After</th></tr>
      </thead>
      <tbody>
        {leaves.map((leaf) => (
          <tr key={leaf.path}>
            <th scope="row"><Path path={leaf.path.replace(/^spec\./, '')} /></th>
            <td>{leaf.before === undefined ? null : <><del>{printLeaf(leaf.before)}</del><InWords leaf={leaf} value={leaf.before} /></>}</td>
            <td>{leaf.after === undefined ? null : <><ins>{printLeaf(leaf.after)}</ins><InWords leaf={leaf} value={leaf.after} /></>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** A long field name breaks at its joints. */
function Path({ path }: { path: string }) {
  return path.split(/(?<=[._])/).map((part, index) => <Fragment key={index}>{index > 0 && <wbr />}{part}</Fragment>)
}

function InWords({ leaf, value }: { leaf: Leaf; value: unknown }) {
  const words = inWords(leaf.path, value)
  return words === undefined ? null : <span className="in-words">{words}</span>
}
