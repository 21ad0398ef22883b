// What a compute pool is asked for.
import { useAll } from '../../api/hooks.ts'
import { labelsField, type Field } from '../../ui/form/fields.ts'
import { parseName, type Parsed } from '../../ui/form/parse.ts'
import { parseBudget, printBudget } from './budget.ts'

function parsePlane(text: string): Parsed<string> {
  const value = text.trim()
  return /^data_plane_[0-9a-z]{26}$/.test(value) ? { ok: true, value } : { ok: false, error: 'The id of a data plane, such as data_plane_01j…' }
}

export function useComputePoolFields(): readonly Field[] {
  const planes = useAll('/v1/data-planes').data ?? []
  return [
    { name: 'data_plane', label: 'Data plane', kind: 'suggest', required: true, fixed: true, parse: parsePlane, options: planes.map((p) => ({ value: p.id, label: p.spec.name })), hint: 'Your own, or one that a grant lends you compute units on; its owner knows the id.' },
    { name: 'name', label: 'Name', kind: 'text', required: true, fixed: true, parse: parseName, hint: 'Unique in the tenant.' },
    { name: 'max_units', label: 'Compute units at most', kind: 'whole', required: true, initial: '4', min: 1, max: 1000, hint: 'A unit is half a processor and 512 MiB. A job that finds no room waits.' },
    { name: 'budget', label: 'Unit-hours a month', kind: 'text', parse: parseBudget, print: printBudget, hint: 'What its jobs may use together of each month, UTC. When it is used up they stand until the month turns; there is a warning at 80 %, or where you say: 100, warning at 70 %.' },
    labelsField(),
  ]
}
