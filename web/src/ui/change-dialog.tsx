// Every change goes this way: fill in, see the plan, one button. The plan is asked of the server with ?dry_run=true, so
// that permission, quota and conflicts are known before anything happens.
import { useRef, useState, type FormEvent, type ReactNode } from 'react'
import type { Call } from '../api/client.ts'
import { useApi, useChange, usePlan } from '../api/hooks.ts'
import { Problem } from '../api/problem.ts'
import type { Plan } from '../api/types.ts'
import { Button } from './button.tsx'
import { Dialog } from './dialog.tsx'
import { initialTexts, isEmptyPatch, patchOf, readForm, type Body, type Faults, type Field, type Texts } from './form/fields.ts'
import { FormFields } from './form/form.tsx'
import type { Fault } from './form/parse.ts'
import { PlanView } from './plan.tsx'
import { Failure } from './states.tsx'

interface ChangeDialogProps<T> {
  open: boolean
  title: string
  /** What the last button says: "Create topic". */
  act: string
  fields: readonly Field[]
  /** The object that is changed; none when one is created. */
  object?: { id: string; spec: object; metadata: { labels?: object; generation: number } }
  initial?: Texts
  call: (body: Body) => Call
  onClose: () => void
  onDone: (answer: T) => void
  /** Shown after the change instead of closing: secrets that are seen once. The dialog closes if there is nothing to show. */
  after?: (answer: T, close: () => void) => ReactNode
  /** What would happen, in words, beneath the form: the change is made from there, and the plan is for those who ask for it. */
  direct?: (texts: Texts) => ReactNode
  intro?: ReactNode
  /** The plan in words of its own. */
  plan?: (plan: Plan) => ReactNode
}

export function ChangeDialog<T>(props: ChangeDialogProps<T>) {
  return props.open ? <OpenChangeDialog {...props} /> : null
}

function OpenChangeDialog<T>({ title, act, fields, object, initial, call, onClose, onDone, after, direct, intro, plan: showPlan }: ChangeDialogProps<T>) {
  const [before] = useState<Texts>(() => ({ ...initialTexts(fields, object), ...initial }))
  const [texts, setTexts] = useState<Texts>(before)
  const [errors, setErrors] = useState<Record<string, string | undefined>>({})
  const [faults, setFaults] = useState<Faults>({})
  const [planned, setPlanned] = useState<Call | undefined>(undefined)
  const tenant = useApi().tenant
  const plan = usePlan()
  const change = useChange<T>()
  const form = useRef<HTMLFormElement>(null)
  const last = useRef<{ same: string; key: string }>(undefined)

  const showErrors = (found: Record<string, string | undefined>, within: Faults) => {
    setErrors(found)
    setFaults(within)
    // The first field that is wrong gets the focus once it is marked.
    requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid], [data-fault]')?.focus())
  }
  const onRefused = (error: Error) => {
    if (!(error instanceof Problem)) return
    const found: Record<string, string | undefined> = {}
    const within: Faults = {}
    for (const { name, parts } of fields) {
      const said = error.forField(name)
      if (said === undefined) continue
      if (parts) within[name] = error.within(name)
      else found[name] = said
    }
    if (Object.keys(found).length + Object.keys(within).length > 0) {
      setPlanned(undefined)
      showErrors(found, within)
    }
  }
  const put = (name: string, text: string, left?: readonly Fault[]) => {
    setTexts((old) => ({ ...old, [name]: text }))
    if (left) setFaults((old) => ({ ...old, [name]: left }))
  }
  const asked = (): Call | undefined => {
    const read = object ? patchOf(fields, before, texts) : readForm(fields, texts)
    if (!read.ok) {
      showErrors(read.errors, read.faults)
      return undefined
    }
    setErrors({})
    setFaults({})
    if (object && isEmptyPatch(read.body)) {
      onClose()
      return undefined
    }
    // One key for what was asked: pressing the button again after a lost answer cannot make a second object.
    const body = { body: read.body, ...call(read.body), generation: object?.metadata.generation }
    const same = JSON.stringify(body)
    if (last.current?.same !== same) last.current = { same, key: crypto.randomUUID() }
    return { ...body, idempotencyKey: last.current.key }
  }
  const review = () => {
    const next = asked()
    if (next) plan.mutate({ ...next, idempotencyKey: crypto.randomUUID() }, { onSuccess: () => setPlanned(next), onError: onRefused })
  }
  const apply = (what: Call | undefined) => {
    if (!what) return
    change.mutate(what, {
      onSuccess: (answer) => {
        onDone(answer)
        if (!after?.(answer, onClose)) onClose()
      },
      onError: (error) => {
        // What was refused is asked anew; an answer that was lost is asked for by the same key.
        if (error instanceof Problem) last.current = undefined
        onRefused(error)
      },
    })
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (direct) apply(asked())
    else review()
  }

  const shown = change.isSuccess ? after?.(change.data, onClose) : undefined
  if (shown) return <Dialog open title={title} stage="after" onClose={onClose} keepOpen>{shown}</Dialog>
  if (planned && plan.data) {
    return (
      <Dialog open title={title} stage="plan" onClose={onClose}>
        <div className="dialog-main">
          {showPlan ? showPlan(plan.data) : <PlanView plan={plan.data} call={planned} tenant={tenant} />}
          {change.error && <Failure error={change.error} />}
        </div>
        <footer className="dialog-foot">
          <Button tone="primary" busy={change.isPending} onClick={() => apply(planned)} data-autofocus>{change.isPending ? 'Working…' : act}</Button>
          <Button onClick={() => setPlanned(undefined)}>Back</Button>
        </footer>
      </Dialog>
    )
  }
  return (
    <Dialog open title={title} stage="form" onClose={onClose}>
      <form ref={form} onSubmit={submit} noValidate className="dialog-form">
        <div className="dialog-main">
          {intro}
          <FormFields fields={fields} texts={texts} errors={errors} faults={faults} editing={!!object} onChange={put} />
          {plan.error && <Failure error={plan.error} />}
          {direct && change.error && <Failure error={change.error} />}
        </div>
        {direct?.(texts)}
        <footer className="dialog-foot">
          {direct
            ? <><Button tone="primary" type="submit" busy={change.isPending}>{change.isPending ? 'Working…' : act}</Button><Button busy={plan.isPending} onClick={review}>Review first</Button></>
            : <Button tone="primary" type="submit" busy={plan.isPending}>{plan.isPending ? 'Asking…' : 'Review'}</Button>}
          <Button onClick={onClose}>Cancel</Button>
        </footer>
      </form>
    </Dialog>
  )
}
