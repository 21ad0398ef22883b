// What is not worth asking the control plane about yet.
import { parsePairs } from '../../ui/form/parse.ts'
import type { Draft } from './draft.ts'
import { LEVELS, levelError } from './properties.ts'

export function draftErrors(draft: Draft, isNew: boolean): string[] {
  const errors: string[] = []
  if (isNew && draft.subject.trim() === '') errors.push('A subject is needed')
  if (draft.schema.trim() === '') errors.push('A schema is needed')
  draft.references.forEach((reference, at) => {
    if (reference.subject === '' || reference.name === '') errors.push(`Reference ${at + 1}: choose a subject and give its name in the schema`)
  })
  const pairs = parsePairs(draft.others)
  if (!pairs.ok) errors.push(`Further properties: ${pairs.error}`)
  for (const { name, label } of LEVELS) {
    const error = levelError(name, draft.levels[name])
    if (error) errors.push(`${label}: ${error}`)
  }
  draft.rules.forEach((rule, at) => {
    if (rule.name.trim() === '') errors.push(`Rule ${at + 1}: a name is needed`)
  })
  return errors
}
