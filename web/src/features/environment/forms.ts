// What an environment is asked for.
import { labelsField, type Field } from '../../ui/form/fields.ts'
import { parseName } from '../../ui/form/parse.ts'

export const environmentFields: readonly Field[] = [
  { name: 'name', label: 'Name', kind: 'text', required: true, fixed: true, parse: parseName, hint: 'Such as prod, test or dev. Part of every resource name below it; it never changes.' },
  { name: 'description', label: 'Description', kind: 'textarea' },
  labelsField(),
]
