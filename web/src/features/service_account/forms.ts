// What a service account is asked for.
import { labelsField, type Field } from '../../ui/form/fields.ts'
import { parseName } from '../../ui/form/parse.ts'

export const serviceAccountFields: readonly Field[] = [
  { name: 'name', label: 'Name', kind: 'text', required: true, fixed: true, parse: parseName, hint: 'One for each application, so that its usage and cost can be told apart.' },
  { name: 'description', label: 'Description', kind: 'textarea' },
  labelsField(),
]
