// What is wrong, in sentences, below what it is about.
import type { Fault } from '../../ui/form/parse.ts'

export function Faults({ faults, id }: { faults: readonly Fault[]; id?: string }) {
  if (faults.length === 0) return null
  return <div id={id}>{faults.map(({ at, detail }) => <p className="field-error" key={at + detail}>{detail}</p>)}</div>
}
