// What a data plane is asked for.
import { labelsField, type Field } from '../../ui/form/fields.ts'
import { parseName } from '../../ui/form/parse.ts'

export const dataPlaneFields: readonly Field[] = [
  { name: 'name', label: 'Name', kind: 'text', required: true, fixed: true, parse: parseName, hint: 'Where it stands, such as frankfurt-1.' },
  { name: 'description', label: 'Description', kind: 'textarea' },
  labelsField(),
]
