// Rules of a version while they are written: add, remove, put in order.
import { useId, useRef, type ReactNode } from 'react'
import { Button, IconButton } from '../../ui/button.tsx'
import { words } from '../../ui/format.ts'
import { MODES } from './rules.ts'
import { FAILURES, inList, KINDS, LISTS, moveRule, newRule, TYPES, type RuleDraft, type RuleList } from './rule-draft.ts'

export function RulesEditor({ rules, onChange }: { rules: readonly RuleDraft[]; onChange: (rules: RuleDraft[]) => void }) {
  const list = useRef<HTMLOListElement>(null)
  const change = (key: string, by: (rule: RuleDraft) => RuleDraft) => onChange(rules.map((rule) => (rule.key === key ? by(rule) : rule)))
  const add = () => {
    onChange([...rules, newRule()])
    // The new one's name is what comes next.
    requestAnimationFrame(() => list.current?.lastElementChild?.querySelector('input')?.focus())
  }
  return (
    <div className="rules-editor">
      {rules.length === 0 && <p className="muted">None: a record only has to be of the schema.</p>}
      <ol ref={list}>
        {rules.map((rule) => {
          const kin = rules.filter((each) => each.list === rule.list)
          return (
            <li key={rule.key}>
              <RuleFields rule={rule} onChange={(by) => change(rule.key, by)}>
                <IconButton icon="up" label={`Move rule ${rule.name} up`} disabled={kin[0] === rule} onClick={() => onChange(moveRule(rules, rule.key, -1))} />
                <IconButton icon="down" label={`Move rule ${rule.name} down`} disabled={kin.at(-1) === rule} onClick={() => onChange(moveRule(rules, rule.key, 1))} />
                <IconButton icon="close" label={`Remove rule ${rule.name}`} onClick={() => onChange(rules.filter((each) => each.key !== rule.key))} />
              </RuleFields>
            </li>
          )
        })}
      </ol>
      <Button icon="plus" onClick={add}>Add rule</Button>
    </div>
  )
}

interface RuleFieldsProps {
  rule: RuleDraft
  onChange: (by: (rule: RuleDraft) => RuleDraft) => void
  children: ReactNode
}

function RuleFields({ rule, onChange, children }: RuleFieldsProps) {
  const put = (change: Partial<RuleDraft>) => onChange((old) => ({ ...old, ...change }))
  const modes = LISTS.find((list) => list.name === rule.list)!.modes
  return (
    <fieldset className="rule-fields">
      <legend className="hidden-visually">{rule.name === '' ? 'New rule' : `Rule ${rule.name}`}</legend>
      <div className="rule-head">
        <Field label="Name"><input type="text" value={rule.name} onChange={(event) => put({ name: event.target.value })} autoComplete="off" spellCheck={false} /></Field>
        <span className="rule-tools">{children}</span>
      </div>
      <Field label="Expression"><textarea className="mono" rows={2} value={rule.expr} onChange={(event) => put({ expr: event.target.value })} spellCheck={false} /></Field>
      <div className="rule-line">
        <Choice label="Kind" value={rule.kind} options={KINDS} onChange={(kind) => put({ kind })} say={words} />
        <Choice label="On" value={rule.mode} options={modes} onChange={(mode) => put({ mode })} say={(mode) => words(MODES[mode] ?? mode)} />
        <Choice label="Type" value={rule.type} options={TYPES} onChange={(type) => put({ type })} />
        <Choice label="On failure" value={rule.onFailure} options={FAILURES} none="ERROR, as nothing is said" onChange={(onFailure) => put({ onFailure })} />
      </div>
      <details>
        <summary>More</summary>
        <div className="rule-line">
          <Choice label="List" value={rule.list} options={LISTS.map((list) => list.name)} onChange={(list) => onChange((old) => inList(old, list as RuleList))} />
          <Field label="Only for tags"><input type="text" value={rule.tags} onChange={(event) => put({ tags: event.target.value })} placeholder="all fields" autoComplete="off" spellCheck={false} /></Field>
          <Field label="What it is for"><input type="text" value={rule.doc} onChange={(event) => put({ doc: event.target.value })} autoComplete="off" /></Field>
          <label className="check"><input type="checkbox" checked={rule.disabled} onChange={(event) => put({ disabled: event.target.checked })} /> Off</label>
        </div>
      </details>
    </fieldset>
  )
}

function Field({ label, children }: { label: string; children: ReactNode }) {
  return <label className="small-field"><span>{label}</span>{children}</label>
}

interface ChoiceProps {
  label: string
  value: string
  options: readonly string[]
  onChange: (value: string) => void
  none?: string
  /** Without it the field's words are written as they are. */
  say?: (option: string) => string
}

/** What stands already is a choice, too: rules may come with words that the form does not offer. */
function Choice({ label, value, options, onChange, none, say }: ChoiceProps) {
  const id = useId()
  const all = value === '' || options.includes(value) ? options : [...options, value]
  return (
    <div className="small-field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.target.value)}>
        {none !== undefined && <option value="">{none}</option>}
        {all.map((option) => <option key={option} value={option}>{say ? say(option) : option}</option>)}
      </select>
    </div>
  )
}
