// What an organization is asked for.
import { labelsField, type Field } from '../../ui/form/fields.ts'
import { parseName } from '../../ui/form/parse.ts'

export const organizationFields: readonly Field[] = [
  { name: 'name', label: 'Name', kind: 'text', required: true, fixed: true, parse: parseName, hint: 'Part of resource names; it never changes.' },
  { name: 'display_name', label: 'Shown as', kind: 'text' },
  labelsField(),
]
