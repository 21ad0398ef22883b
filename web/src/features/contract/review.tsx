// The last step of the editor: the control plane's own plan, then one button.
import { useEffect, useState } from 'react'
import type { Call } from '../../api/client.ts'
import { useApi, useChange, usePlan } from '../../api/hooks.ts'
import { curlOf } from '../../ui/api-call.ts'
import { Button } from '../../ui/button.tsx'
import { CodeBlock } from '../../ui/copyable.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Failure, Skeleton } from '../../ui/states.tsx'
import { ContractPlanView } from './plan-view.tsx'
import type { ContractPlan } from './wire.ts'

interface ReviewProps {
  title: string
  call: Call
  onClose: () => void
  onDone: (plan: ContractPlan, answer: unknown) => void
}

export function Review({ title, call, onClose, onDone }: ReviewProps) {
  // One key for this plan: pressing the button again after a lost answer registers nothing twice.
  const [asked] = useState<Call>(() => ({ ...call, idempotencyKey: crypto.randomUUID() }))
  const { tenant } = useApi()
  const plan = usePlan<ContractPlan>()
  const change = useChange<unknown>()
  const { mutate } = plan
  useEffect(() => mutate({ ...asked, idempotencyKey: crypto.randomUUID() }), [mutate, asked])
  const { data } = plan
  const apply = () => data && change.mutate(asked, { onSuccess: (answer) => onDone(data, answer) })
  const act = data?.version ? `Register version ${data.version}` : 'Register'
  return (
    <Dialog open title={title} stage={plan.isSuccess ? 'plan' : 'asking'} onClose={onClose}>
      <div className="dialog-main">
        {plan.isPending && <Skeleton lines={4} label="Asking what would change" />}
        {plan.error && <Failure error={plan.error} />}
        {data && <ContractPlanView plan={data} />}
        {data && <details className="plan-call"><summary>The same as an API call</summary><CodeBlock text={curlOf(asked, tenant)} label="API call" wrap /></details>}
        {change.error && <Failure error={change.error} />}
      </div>
      <footer className="dialog-foot">
        {data?.accepted && !data.unchanged && <Button tone="primary" busy={change.isPending} onClick={apply} data-autofocus>{change.isPending ? 'Working…' : act}</Button>}
        <Button onClick={onClose}>{data?.accepted && !data.unchanged ? 'Back' : 'Back to the editor'}</Button>
      </footer>
    </Dialog>
  )
}
