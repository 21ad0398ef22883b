// What is wrong, in sentences, below what it is about.
import type { Fault } from '../../ui/form/parse.ts'

export function Faults({ faults, id }: { faults: readonly Fault[]; id?: string }) {
  if (faults.length === 0) return null
  // Who asked is led to it, also where no control is to blame.
  return <div id={id} data-fault tabIndex={-1}>{faults.map(({ at, detail }) => <p className="field-error" key={at + detail}>{detail}</p>)}</div>
}
