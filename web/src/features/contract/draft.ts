// A version that is being written: from what stands to the form, from the form to the engine and to the API. Pure.
import type { ContractVersion } from '../../api/types.ts'
import type { Draft as EngineDraft } from '../../engine/index.ts'
import { propertiesOf, splitProperties, type About, type Levels, NO_LEVELS } from './properties.ts'
import type { ContractWish, Metadata, Reference, SchemaType } from './wire.ts'
import { isList, rulesOf, ruleSetOf, type RuleDraft } from './rule-draft.ts'

export interface Draft {
  environment: string
  subject: string
  schemaType: SchemaType
  schema: string
  references: Reference[]
  about: About
  levels: Levels
  /** Free properties, one `name=value` a line. */
  others: string
  /** Properties that a line cannot hold. */
  kept: Record<string, string>
  /** Tags by path, as they are typed: `PII, GDPR`. */
  tags: Record<string, string>
  rules: RuleDraft[]
  /** What stands in the rule set beside the lists. */
  ruleSetRest: Record<string, unknown>
  /** Empty: what the subject, its context or the tenant says. */
  compatibility: string
}

const EXAMPLES: Record<SchemaType, string> = {
  AVRO: JSON.stringify({ type: 'record', name: 'Payment', fields: [{ name: 'id', type: 'string' }, { name: 'amount', type: 'long' }] }, null, 2),
  JSON: JSON.stringify({ type: 'object', properties: { id: { type: 'string' }, amount: { type: 'integer' } }, required: ['id', 'amount'] }, null, 2),
  PROTOBUF: 'syntax = "proto3";\n\nmessage Payment {\n  string id = 1;\n  int64 amount = 2;\n}\n',
}

/** A schema to begin with; what nobody has touched follows the format. */
export const exampleOf = (type: SchemaType): string => EXAMPLES[type]
export const isExample = (schema: string): boolean => Object.values(EXAMPLES).includes(schema)

export function emptyDraft(environment = '', subject = ''): Draft {
  return {
    environment, subject, schemaType: 'JSON', schema: EXAMPLES.JSON, references: [],
    about: { owner: '', lifecycle: '', classification: '', description: '' }, levels: NO_LEVELS, others: '', kept: {},
    tags: {}, rules: [], ruleSetRest: {}, compatibility: '',
  }
}

/** The next version begins as the last one. */
export function draftOf(version: ContractVersion, subject: string, schema: string, environment = ''): Draft {
  const { about, levels, others, kept } = splitProperties(version.properties)
  const set = (version.rule_set ?? {}) as Record<string, unknown>
  return {
    environment, subject,
    schemaType: version.format as SchemaType,
    schema,
    references: version.references.map(({ name, subject: of, version: number }) => ({ name, subject: of, version: number })),
    about, levels, others, kept,
    tags: Object.fromEntries(Object.entries(version.tags).map(([path, tags]) => [path, tags.join(', ')])),
    rules: rulesOf(set),
    ruleSetRest: Object.fromEntries(Object.entries(set).filter(([name]) => !isList(name))),
    compatibility: '',
  }
}

export function metadataOf(draft: Draft): Metadata {
  const tags = Object.entries(draft.tags).flatMap(([path, text]) => {
    const list = tagList(text)
    return list.length > 0 ? [[path, list] as const] : []
  })
  return { tags: Object.fromEntries(tags), properties: propertiesOf(draft) }
}

export function tagList(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter((tag) => tag !== ''))]
}

export function ruleSet(draft: Draft): Record<string, unknown> {
  return { ...draft.ruleSetRest, ...ruleSetOf(draft.rules) }
}

/** As the engine takes it, which judges here what the control plane will judge there. */
export type { EngineDraft }

export function engineDraft(draft: Draft, references: EngineDraft['references']): EngineDraft {
  const metadata = metadataOf(draft)
  const rules = ruleSet(draft)
  return {
    schemaType: draft.schemaType, schema: draft.schema, references,
    ...(isEmpty(metadata.tags) && isEmpty(metadata.properties) ? {} : { metadata }),
    ...(isEmpty(rules) ? {} : { ruleSet: rules }),
  }
}

/** A version that stands, word for word. */
export function engineOf(version: ContractVersion, references: EngineDraft['references']): EngineDraft {
  const { format, schema, tags, properties, rule_set: rules } = version
  return { schemaType: format as SchemaType, schema, references, metadata: { tags, properties }, ...(rules && { ruleSet: rules }) }
}

/**
 * What is asked for. What was not touched since `before` is left out where the API then takes over what stands: the
 * last version may have properties that are not shown, since it calls them sensitive.
 */
export function wishOf(draft: Draft, before?: Draft): ContractWish {
  const metadata = metadataOf(draft)
  const rules = ruleSet(draft)
  const same = (left: unknown, right: unknown) => JSON.stringify(left) === JSON.stringify(right)
  const takesOver = { metadata: before !== undefined && same(metadata, metadataOf(before)), rules: before !== undefined && same(rules, ruleSet(before)) }
  return {
    ...(before === undefined && { subject: draft.subject.trim(), ...(draft.environment !== '' && { environment: draft.environment }) }),
    schema_type: draft.schemaType,
    schema: draft.schema,
    ...(draft.references.length > 0 && { references: draft.references }),
    ...(!takesOver.metadata && (before !== undefined || !isEmpty(metadata.tags) || !isEmpty(metadata.properties)) && { metadata }),
    ...(!takesOver.rules && (before !== undefined || !isEmpty(rules)) && { rule_set: rules }),
    ...(draft.compatibility !== '' && { compatibility: draft.compatibility }),
  }
}

const isEmpty = (map: object): boolean => Object.keys(map).length === 0
