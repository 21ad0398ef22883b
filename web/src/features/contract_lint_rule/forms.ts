// What a lint rule is asked for.
import { useAll } from '../../api/hooks.ts'
import { labelsField, type Field } from '../../ui/form/fields.ts'

export const MODES = [
  { value: 'AUDIT', label: 'Audit: tell, and let it pass' },
  { value: 'ENFORCE', label: 'Enforce: refuse the version' },
] as const

/** Rules that many have, to begin with. */
export const EXAMPLES: readonly (readonly [what: string, expression: string])[] = [
  ['Somebody owns it', 'contract.owner != ""'],
  ['Every field is explained', 'contract.fields.all(f, f.doc != "")'],
  ['Names in snake case', 'contract.fields.all(f, f.path.matches("^[$A-Za-z0-9_.]*[a-z0-9_]+$"))'],
  ['Personal data is classified', '!contract.tags.exists(t, t.tag == "PII") || contract.classification in ["CONFIDENTIAL", "RESTRICTED"]'],
]

export function useLintRuleFields(): readonly Field[] {
  const environments = useAll('/v1/environments').data ?? []
  return [
    { name: 'display_name', label: 'Name', kind: 'text', required: true },
    { name: 'environment', label: 'Environment', kind: 'select', fixed: true, options: environments.map((each) => ({ value: each.id, label: each.spec.name })), hint: 'None: contracts of all of them.' },
    { name: 'expression', label: 'Expression', kind: 'textarea', required: true, hint: 'CEL over contract: subject, version, schema_type, owner, lifecycle, classification, description, properties, tags, fields, rules, compatibility. A version is good if it is true.' },
    { name: 'message', label: 'What to say', kind: 'text', required: true, hint: 'Read by whoever registers a version that is not good.' },
    { name: 'mode', label: 'Mode', kind: 'select', required: true, initial: 'AUDIT', options: MODES },
    { name: 'description', label: 'Why there is this rule', kind: 'textarea', advanced: true },
    labelsField(),
  ]
}
