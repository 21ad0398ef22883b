// What a broker pool is asked for.
import { labelsField, type Field } from '../../ui/form/fields.ts'
import { parseName, parseWhole, type Parsed } from '../../ui/form/parse.ts'

function parseBrokers(text: string): Parsed<number> {
  const parsed = parseWhole(text)
  return parsed.ok && parsed.value !== 1 && parsed.value !== 3 ? { ok: false, error: 'One or three' } : parsed
}

export function poolFields(dataPlane: string): readonly Field[] {
  return [
    { name: 'name', label: 'Name', kind: 'text', required: true, fixed: true, parse: parseName },
    { name: 'brokers', label: 'Brokers', kind: 'select', required: true, fixed: true, initial: '1', parse: parseBrokers, options: [{ value: '1', label: '1: for trying out; no copy of a record' }, { value: '3', label: '3: each record on three brokers' }], hint: 'Brokers run on the machines of the agent.' },
    { name: 'data_plane', label: 'Data plane', kind: 'text', required: true, fixed: true, initial: dataPlane, advanced: true },
    labelsField(),
  ]
}
