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
  /** Shown after the change instead of closing: secrets that are seen once. */
  after?: (answer: T, close: () => void) => ReactNode
  intro?: ReactNode
  /** The plan in words of its own. */
  plan?: (plan: Plan) => ReactNode
}

export function ChangeDialog<T>(props: ChangeDialogProps<T>) {
  return props.open ? <OpenChangeDialog {...props} /> : null
}

function OpenChangeDialog<T>({ title, act, fields, object, initial, call, onClose, onDone, after, intro, plan: showPlan }: ChangeDialogProps<T>) {
  const [before] = useState<Texts>(() => ({ ...initialTexts(fields, object), ...initial }))
  const [texts, setTexts] = useState<Texts>(before)
  const [errors, setErrors] = useState<Record<string, string | undefined>>({})
  const [faults, setFaults] = useState<Faults>({})
  const [planned, setPlanned] = useState<Call | undefined>(undefined)
  const tenant = useApi().tenant
  const plan = usePlan()
  const change = useChange<T>()
  const form = useRef<HTMLFormElement>(null)

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
  const review = (event: FormEvent) => {
    event.preventDefault()
    const read = object ? patchOf(fields, before, texts) : readForm(fields, texts)
    if (!read.ok) return showErrors(read.errors, read.faults)
    setErrors({})
    setFaults({})
    if (object && isEmptyPatch(read.body)) return onClose()
    // One key for this plan: pressing the button again after a lost answer cannot make a second object.
    const next: Call = { body: read.body, ...call(read.body), generation: object?.metadata.generation, idempotencyKey: crypto.randomUUID() }
    plan.mutate({ ...next, idempotencyKey: crypto.randomUUID() }, { onSuccess: () => setPlanned(next), onError: onRefused })
  }
  const apply = () => {
    if (!planned) return
    change.mutate(planned, {
      onSuccess: (answer) => {
        onDone(answer)
        if (!after) onClose()
      },
      onError: onRefused,
    })
  }

  if (change.isSuccess && after) {
    return <Dialog open title={title} stage="after" onClose={onClose} keepOpen>{after(change.data, onClose)}</Dialog>
  }
  if (planned && plan.data) {
    return (
      <Dialog open title={title} stage="plan" onClose={onClose}>
        <div className="dialog-main">
          {showPlan ? showPlan(plan.data) : <PlanView plan={plan.data} call={planned} tenant={tenant} />}
          {change.error && <Failure error={change.error} />}
        </div>
        <footer className="dialog-foot">
          <Button tone="primary" busy={change.isPending} onClick={apply} data-autofocus>{change.isPending ? 'Working…' : act}</Button>
          <Button onClick={() => setPlanned(undefined)}>Back</Button>
        </footer>
      </Dialog>
    )
  }
  return (
    <Dialog open title={title} stage="form" onClose={onClose}>
      <form ref={form} onSubmit={review} noValidate className="dialog-form">
        <div className="dialog-main">
          {intro}
          <FormFields fields={fields} texts={texts} errors={errors} faults={faults} editing={!!object} onChange={put} />
          {plan.error && <Failure error={plan.error} />}
        </div>
        <footer className="dialog-foot">
          <Button tone="primary" type="submit" busy={plan.isPending}>{plan.isPending ? 'Asking…' : 'Review'}</Button>
          <Button onClick={onClose}>Cancel</Button>
        </footer>
      </form>
    </Dialog>
  )
}
