// What registering a version would do: what stands against it, what changes, and who is affected.
import type { ReactNode } from 'react'
import { plural, words } from '../../ui/format.ts'
import { ObjectLink } from '../../ui/object-link.tsx'
import { Age } from '../../ui/status.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import type { ContractPlan, Impact, ImpactAccount, ImpactJob, ImpactTopic, PlanChange, PlanProblem } from './wire.ts'

const SOURCES: Record<string, string> = { SCHEMA: 'Schema', RULE_SET: 'Rules', COMPATIBILITY: 'Compatibility', LINT: 'Lint', LIFECYCLE: 'Lifecycle', SERVICE_LEVEL: 'Service level' }

export function ContractPlanView({ plan }: { plan: ContractPlan }) {
  const blocking = plan.problems.filter((problem) => problem.blocking)
  const notes = plan.problems.filter((problem) => !problem.blocking)
  return (
    <div className="plan">
      <p className="note">{outcome(plan)}</p>
      {blocking.length > 0 && <Part title="Stands against it"><Problems problems={blocking} /></Part>}
      {notes.length > 0 && <Part title="Worth a look"><Problems problems={notes} /></Part>}
      {!plan.unchanged && <Part title="Changes"><Changes changes={plan.changes} /></Part>}
      <Part title="Who is affected"><ImpactView impact={plan.impact} /></Part>
    </div>
  )
}

export function outcome({ accepted, unchanged, version, problems }: ContractPlan): string {
  if (!accepted) return `It would be refused: ${plural(problems.filter((problem) => problem.blocking).length, 'problem')}. Nothing is done yet.`
  if (unchanged) return version === null ? 'This stands already: nothing would change.' : `This stands already as version ${version}: nothing would change.`
  return version === null ? 'It would be registered. Nothing is done yet.' : `It would be version ${version}. Nothing is done yet.`
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return <section className="plan-part"><h3>{title}</h3>{children}</section>
}

export function Problems({ problems }: { problems: readonly PlanProblem[] }) {
  return (
    <ul className="problems">
      {problems.map((problem, at) => (
        <li key={at} className={problem.blocking ? undefined : 'note-only'}>
          <strong>{SOURCES[problem.source] ?? words(problem.source)}</strong>
          {problem.rule && <> <code>{problem.rule}</code></>}
          {problem.line ? `, line ${problem.line}${problem.column ? `, column ${problem.column}` : ''}` : <At path={problem.path} message={problem.message} />}
          {': '}{problem.message}
        </li>
      ))}
    </ul>
  )
}

/** Where it is, unless the sentence says so itself. */
export function At({ path, message }: { path?: string | null; message: string }) {
  return path && !message.includes(path) ? <> at <code>{path}</code></> : null
}

export function Changes({ changes, none = 'Nothing that consumers or producers would notice.' }: { changes: readonly PlanChange[]; none?: string }) {
  if (changes.length === 0) return <p className="muted">{none}</p>
  return (
    <ul className="changes">
      {changes.map((change, at) => (
        <li key={at}>
          <span className={`tag ${change.breaking ? 'bad' : 'off'}`}>{change.breaking ? 'Breaking' : words(change.part)}</span>
          <span>{!change.message.includes(change.path) && <><code>{change.path}</code> </>}{change.message}</span>
        </li>
      ))}
    </ul>
  )
}

const topicColumns: readonly Column<ImpactTopic>[] = [
  { key: 'topic', label: 'Topic', cell: (t) => <ObjectLink id={t.topic_id} name={t.name} /> },
  { key: 'enforcement', label: 'Enforcement', cell: (t) => words(t.enforcement) },
]

const PARTS: Record<string, string> = { SOURCE: 'reads', SINK: 'writes', DEAD_LETTER: 'writes dead letters' }
const jobColumns: readonly Column<ImpactJob>[] = [
  { key: 'job', label: 'Job', cell: (j) => <ObjectLink id={j.job_id} name={j.name} /> },
  { key: 'part', label: 'Does', cell: (j) => PARTS[j.part] ?? words(j.part) },
]

export function ImpactView({ impact }: { impact: Impact }) {
  const topicName = (id: string) => impact.topics.find((topic) => topic.topic_id === id)?.name
  if (impact.topics.length === 0) return <p className="muted">No topic that is judged takes records of this subject.</p>
  const accounts = (label: string): Column<ImpactAccount>[] => [
    { key: 'account', label, cell: (a) => <ObjectLink id={a.service_account_id} name={a.display_name ?? undefined} /> },
    { key: 'topic', label: 'Topic', cell: (a) => <ObjectLink id={a.topic_id} name={topicName(a.topic_id)} /> },
    { key: 'last', label: 'Last', cell: (a) => <Age at={a.last_hour_at} /> },
  ]
  const id = (a: ImpactAccount) => `${a.service_account_id}/${a.topic_id}`
  return (
    <div className="stack">
      <Table caption="Topics" rows={impact.topics} columns={topicColumns} id={(t) => t.topic_id} still />
      {impact.writers.length > 0 ? <Table caption="Who writes" rows={impact.writers} columns={accounts('Writes')} id={id} still /> : <p className="muted">Nobody wrote there in the last seven days.</p>}
      {impact.readers.length > 0 ? <Table caption="Who reads" rows={impact.readers} columns={accounts('Reads')} id={id} still /> : <p className="muted">Nobody read there in the last seven days.</p>}
      {impact.jobs.length > 0 && <Table caption="Jobs" rows={impact.jobs} columns={[...jobColumns, { key: 'topic', label: 'Topic', cell: (j) => <ObjectLink id={j.topic_id} name={topicName(j.topic_id)} /> }]} id={(j) => `${j.job_id}/${j.topic_id}/${j.part}`} still />}
      {impact.truncated && <p className="muted">There are more than are shown.</p>}
    </div>
  )
}
