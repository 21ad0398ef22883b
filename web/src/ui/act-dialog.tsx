// A change without a form: an action, or a deletion for which the name must be typed.
import { useEffect, useId, useState, type ReactNode } from 'react'
import type { Call } from '../api/client.ts'
import { useApi, useChange, usePlan } from '../api/hooks.ts'
import type { Plan } from '../api/types.ts'
import { Button } from './button.tsx'
import { Dialog } from './dialog.tsx'
import { PlanView } from './plan.tsx'
import { Failure, Skeleton } from './states.tsx'

interface ActDialogProps<T> {
  open: boolean
  title: string
  act: string
  call: Call
  onClose: () => void
  onDone: (answer: T) => void
  /** Text that must be typed before the button works. */
  typed?: string
  danger?: boolean
  children?: ReactNode
  /** The plan in words of its own. */
  plan?: (plan: Plan) => ReactNode
}

export function ActDialog<T>(props: ActDialogProps<T>) {
  return props.open ? <OpenActDialog {...props} /> : null
}

function OpenActDialog<T>({ title, act, call, onClose, onDone, typed, danger, children, plan: showPlan }: ActDialogProps<T>) {
  const [text, setText] = useState('')
  const [key] = useState(() => crypto.randomUUID())
  const inputId = useId()
  const tenant = useApi().tenant
  const plan = usePlan()
  const change = useChange<T>()
  const { mutate } = plan
  const [asked] = useState(call)
  useEffect(() => mutate(asked), [mutate, asked])
  const ready = plan.isSuccess && (typed === undefined || text === typed)
  return (
    <Dialog open title={title} stage={plan.isSuccess ? 'plan' : 'asking'} onClose={onClose}>
      <form
        className="dialog-form"
        onSubmit={(event) => {
          event.preventDefault()
          if (ready) change.mutate({ ...asked, idempotencyKey: key }, { onSuccess: (answer) => { onDone(answer); onClose() } })
        }}
      >
        <div className="dialog-main">
          {children}
          {plan.isPending && <Skeleton lines={3} label="Asking what would change" />}
          {plan.data && (showPlan ? showPlan(plan.data) : <PlanView plan={plan.data} call={asked} tenant={tenant} />)}
          {plan.error && <Failure error={plan.error} />}
          {plan.isSuccess && typed !== undefined && (
            <div className="field">
              <label htmlFor={inputId}>Type <code>{typed}</code> to go on</label>
              <input id={inputId} type="text" value={text} onChange={(event) => setText(event.target.value)} autoComplete="off" spellCheck={false} />
            </div>
          )}
          {change.error && <Failure error={change.error} />}
        </div>
        <footer className="dialog-foot">
          <Button tone={danger ? 'danger' : 'primary'} type="submit" busy={change.isPending} disabled={!ready}>{change.isPending ? 'Working…' : act}</Button>
          <Button onClick={onClose}>Cancel</Button>
        </footer>
      </form>
    </Dialog>
  )
}
