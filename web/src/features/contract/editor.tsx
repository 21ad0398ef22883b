// Writing a version: everything that it says on the left, what the engine says of it on the right, the plan at the end.
import { useBlocker, useNavigate } from '@tanstack/react-router'
import { useCallback, useMemo, useRef, useState, type ReactNode } from 'react'
import type { Call } from '../../api/client.ts'
import { useAll } from '../../api/hooks.ts'
import type { Search } from '../../app/search.ts'
import type { Inspection } from '../../engine/index.ts'
import { Button } from '../../ui/button.tsx'
import { CodeEditor } from '../../ui/code-editor.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Section } from '../../ui/facts.tsx'
import { plural } from '../../ui/format.ts'
import { PartMissing } from '../../ui/states.tsx'
import { useToast } from '../../ui/toast.tsx'
import { AboutEditor, LevelsEditor } from './about-editor.tsx'
import { engineDraft, exampleOf, isExample, wishOf, type Draft, type EngineDraft } from './draft.ts'
import { useInspection, type Live } from './engine.ts'
import { COMPATIBILITIES, levelText } from './level-text.ts'
import { draftErrors } from './draft-errors.ts'
import { useResolved } from './queries.ts'
import { ReferencesEditor } from './references-editor.tsx'
import { Review } from './review.tsx'
import { RulesEditor } from './rules-editor.tsx'
import { SamplesPane } from './samples-pane.tsx'
import { StepPane } from './step-pane.tsx'
import { TagsEditor } from './tags-editor.tsx'
import type { SchemaType } from './wire.ts'

/** What the next version follows. */
export interface Standing {
  contract: string
  version: number
  level: string
  engine: EngineDraft
}

interface EditorProps {
  initial: Draft
  standing?: Standing
  /** Before the rest: where a new contract is. */
  place?: (draft: Draft, put: (change: Partial<Draft>) => void) => ReactNode
}

const FORMATS: readonly { value: SchemaType; label: string }[] = [{ value: 'JSON', label: 'JSON Schema' }, { value: 'AVRO', label: 'Avro' }, { value: 'PROTOBUF', label: 'Protobuf' }]

export function Editor({ initial, standing, place }: EditorProps) {
  const [draft, setDraft] = useState(initial)
  const [asked, setAsked] = useState<Call | undefined>(undefined)
  const [refused, setRefused] = useState<string[]>([])
  const leave = useLeave(draft !== initial)
  const done = useDone(standing, leave.letGo)
  const put = (change: Partial<Draft>) => setDraft((old) => ({ ...old, ...change }))
  const resolved = useResolved(draft.references, draft.environment)
  const engine = useMemo(() => resolved.data && engineDraft(draft, resolved.data), [draft, resolved.data])
  const inspection = useInspection(engine)
  const review = () => {
    const errors = draftErrors(draft, standing === undefined)
    setRefused(errors)
    if (errors.length === 0) setAsked({ ...target(standing), body: { spec: wishOf(draft, standing && initial) } })
  }
  const current = inspection.late ? undefined : inspection.data
  // Records are judged by rules, too; the schema alone is what has to follow the last one.
  const sound = current?.ok ? engine : undefined
  const readable = current && !current.problems.some((problem) => problem.source === 'SCHEMA') ? engine : undefined
  return (
    <>
      <div className="editor">
        <div className="editor-form">
          {place?.(draft, put)}
          <Parts draft={draft} put={put} inspection={inspection} standing={standing} />
        </div>
        <aside className="editor-side" aria-label="Live checks">
          <Section title="Now"><Now inspection={inspection} resolving={resolved} /></Section>
          <Section title="Try records"><SamplesPane draft={sound} /></Section>
          {standing && <Section title={`Beside version ${standing.version}`}><Beside standing={standing} after={readable} level={draft.compatibility} /></Section>}
        </aside>
      </div>
      <footer className="editor-foot">
        {refused.length > 0 && <ul className="problems" role="alert">{refused.map((text) => <li key={text}>{text}</li>)}</ul>}
        <Button tone="primary" onClick={review}>Review</Button>
        <span className="muted">Nothing is registered before you have seen the plan.</span>
      </footer>
      {asked && <Review title={standing ? `New version of ${draft.subject}` : `New contract ${draft.subject}`} call={asked} onClose={() => setAsked(undefined)} onDone={done} />}
      {leave.question}
    </>
  )
}

const target = (standing: Standing | undefined): Call =>
  standing ? { method: 'post', path: '/v1/contracts/{id}/versions', id: standing.contract } : { method: 'post', path: '/v1/contracts' }

function Parts({ draft, put, inspection, standing }: { draft: Draft; put: (change: Partial<Draft>) => void; inspection: Live<Inspection>; standing: Standing | undefined }) {
  const problems = inspection.data?.problems ?? []
  const ofRules = problems.filter((problem) => problem.source === 'RULE_SET')
  const format = (schemaType: SchemaType) => put({ schemaType, ...((draft.schema.trim() === '' || isExample(draft.schema)) && { schema: exampleOf(schemaType) }) })
  return (
    <>
      <Section title="Schema">
        <div className="form-fields">
          <div className="field">
            <label htmlFor="schema-format">Format</label>
            <select id="schema-format" value={draft.schemaType} onChange={(event) => format(event.target.value as SchemaType)} disabled={standing !== undefined}>
              {FORMATS.map((each) => <option key={each.value} value={each.value}>{each.label}</option>)}
            </select>
          </div>
          <CodeEditor label="Schema" text={draft.schema} onChange={(schema) => put({ schema })} problems={problems.filter((problem) => problem.source === 'SCHEMA')} />
        </div>
      </Section>
      <Section title="References" note="Other contracts of the same environment that the schema names.">
        <ReferencesEditor references={draft.references} environment={draft.environment} subject={draft.subject} onChange={(references) => put({ references })} />
      </Section>
      <Section title="Whose it is">
        <AboutEditor draft={draft} put={put} />
        {standing && <p className="hint">Properties that the last version calls sensitive are not shown. They are taken over as long as nothing of its properties and tags is changed.</p>}
      </Section>
      <Section title="Service levels" note="What the stream promises. It is measured on every topic of this contract."><LevelsEditor draft={draft} put={put} /></Section>
      <Section title="Rules" note="Conditions are judged at the gateway where a topic enforces its contract, whatever client produces.">
        {ofRules.length > 0 && <ul className="problems">{ofRules.map((problem, at) => <li key={at}>{problem.path && <code>{problem.path}</code>} {problem.line ? `line ${problem.line}, column ${problem.column ?? 1}: ` : ''}{problem.message}</li>)}</ul>}
        <RulesEditor rules={draft.rules} onChange={(rules) => put({ rules })} />
      </Section>
      <Section title="Tags" note="Rules can be for fields with a tag only."><TagsEditor columns={inspection.data?.columns ?? []} tags={draft.tags} onChange={(tags) => put({ tags })} /></Section>
      <Section title="Compatibility">
        <div className="field">
          <label htmlFor="compatibility">New versions must be</label>
          <select id="compatibility" value={draft.compatibility} onChange={(event) => put({ compatibility: event.target.value })}>
            <option value="">{standing ? `As it is: ${levelText(standing.level)}` : 'As the environment says'}</option>
            {COMPATIBILITIES.map((each) => <option key={each.value} value={each.value}>{each.label}</option>)}
          </select>
        </div>
      </Section>
    </>
  )
}

function Now({ inspection, resolving }: { inspection: Live<Inspection>; resolving: { error: Error | null; refetch: () => unknown } }) {
  if (resolving.error) return <PartMissing what="What it refers to" error={resolving.error} again={() => void resolving.refetch()} />
  if (inspection.error !== undefined) return <><PartMissing what="The live checks" error={inspection.error} again={inspection.again} /><p className="muted">The review asks the control plane all the same.</p></>
  const { data } = inspection
  const text = !data || inspection.late ? 'Reading…' : data.ok ? `It can be read: ${plural(data.columns.length, 'field')}.` : `${plural(data.problems.length, 'problem')}.`
  const mood = !data || inspection.late ? 'off' : data.ok ? 'good' : 'bad'
  return <p role="status" className={`phase ${mood}`}><span aria-hidden="true">{mood === 'good' ? '●' : mood === 'bad' ? '✕' : '○'}</span>{text}</p>
}

function Beside({ standing, after, level }: { standing: Standing; after: EngineDraft | undefined; level: string }) {
  const asked = level === '' ? standing.level : level
  const step = useMemo(() => after && { before: standing.engine, after, level: asked }, [standing.engine, after, asked])
  return <StepPane step={step} version={standing.version} />
}

function useDone(standing: Standing | undefined, letGo: () => void) {
  const navigate = useNavigate()
  const say = useToast()
  return (plan: { version?: number | null }, answer: unknown) => {
    letGo()
    say(plan.version ? `Version ${plan.version} was registered` : 'It was registered')
    const id = standing?.contract ?? (answer as { id: string }).id
    void navigate({ to: '/contracts/$id', params: { id }, search: (old: Search) => ({ tenant: old.tenant, tab: 'versions' }) })
  }
}

/** What was written is in this page only: whoever leaves is asked first. */
function useLeave(unsaved: boolean): { question: ReactNode; letGo: () => void } {
  const free = useRef(false)
  const letGo = useCallback(() => {
    free.current = true
  }, [])
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => unsaved && !free.current && current.pathname !== next.pathname,
    enableBeforeUnload: () => unsaved && !free.current,
    withResolver: true,
  })
  const question = blocker.status !== 'blocked' ? null : (
    <Dialog open title="Leave without registering?" onClose={blocker.reset}>
      <div className="dialog-main"><p>What you wrote is kept nowhere: it is gone when you leave.</p></div>
      <footer className="dialog-foot">
        <Button tone="primary" onClick={blocker.reset} data-autofocus>Stay</Button>
        <Button onClick={blocker.proceed}>Leave</Button>
      </footer>
    </Dialog>
  )
  return { question, letGo }
}

/** The environments that a contract can be of. */
export function useEnvironmentChoices() {
  return (useAll('/v1/environments').data ?? []).map((each) => ({ value: each.id, label: each.spec.name }))
}
