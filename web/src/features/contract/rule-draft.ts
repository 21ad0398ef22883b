// Rules while they are written. What the form does not know of a rule (params, onSuccess) is kept as it came.

export const LISTS = [
  { name: 'domainRules', label: 'Domain', modes: ['WRITE', 'READ', 'WRITEREAD'] },
  { name: 'migrationRules', label: 'Migration', modes: ['UPGRADE', 'DOWNGRADE', 'UPDOWN'] },
  { name: 'encodingRules', label: 'Encoding', modes: ['WRITE', 'READ', 'WRITEREAD'] },
] as const
export type RuleList = (typeof LISTS)[number]['name']
export const KINDS = ['CONDITION', 'TRANSFORM'] as const
export const TYPES = ['CEL', 'CEL_FIELD'] as const
export const FAILURES = ['ERROR', 'DLQ', 'NONE'] as const

export interface RuleDraft {
  /** Of this form only: rules move, and the keyboard stays where it was. */
  key: string
  list: RuleList
  name: string
  kind: string
  mode: string
  type: string
  expr: string
  tags: string
  onFailure: string
  doc: string
  disabled: boolean
  /** Everything else that the rule says. */
  rest: Record<string, unknown>
}

const KNOWN = ['name', 'kind', 'mode', 'type', 'expr', 'tags', 'onFailure', 'doc', 'disabled']

export const isList = (name: string): boolean => LISTS.some((list) => list.name === name)

let made = 0
const nextKey = () => `rule-${(made += 1)}`

export function newRule(list: RuleList = 'domainRules'): RuleDraft {
  const migration = list === 'migrationRules'
  return { key: nextKey(), list, name: '', kind: migration ? 'TRANSFORM' : 'CONDITION', mode: migration ? 'UPGRADE' : 'WRITE', type: 'CEL', expr: '', tags: '', onFailure: '', doc: '', disabled: false, rest: {} }
}

export function rulesOf(set: Record<string, unknown>): RuleDraft[] {
  return LISTS.flatMap(({ name }) => {
    const list = set[name]
    return Array.isArray(list) ? list.filter(isRecord).map((rule) => ruleOf(rule, name)) : []
  })
}

function ruleOf(rule: Record<string, unknown>, list: RuleList): RuleDraft {
  const text = (name: string) => (typeof rule[name] === 'string' ? rule[name] : '')
  return {
    key: nextKey(), list,
    name: text('name'), kind: text('kind') || 'TRANSFORM', mode: text('mode') || (list === 'migrationRules' ? 'UPDOWN' : 'WRITEREAD'), type: text('type'), expr: text('expr'),
    tags: Array.isArray(rule.tags) ? rule.tags.filter((tag) => typeof tag === 'string').join(', ') : '',
    onFailure: text('onFailure'), doc: text('doc'), disabled: rule.disabled === true,
    rest: Object.fromEntries(Object.entries(rule).filter(([name]) => !KNOWN.includes(name))),
  }
}

/** The lists that have rules, in the words of the registry's API. */
export function ruleSetOf(rules: readonly RuleDraft[]): Record<string, unknown> {
  const set: Record<string, unknown> = {}
  for (const { name } of LISTS) {
    const list = rules.filter((rule) => rule.list === name)
    if (list.length > 0) set[name] = list.map(written)
  }
  return set
}

function written(rule: RuleDraft): Record<string, unknown> {
  const tags = rule.tags.split(/[\s,]+/).filter((tag) => tag !== '')
  return {
    ...rule.rest,
    name: rule.name.trim(), kind: rule.kind, mode: rule.mode, type: rule.type.trim(),
    ...(rule.expr.trim() !== '' && { expr: rule.expr }),
    ...(tags.length > 0 && { tags }),
    ...(rule.onFailure !== '' && { onFailure: rule.onFailure }),
    ...(rule.doc.trim() !== '' && { doc: rule.doc.trim() }),
    ...(rule.disabled && { disabled: true }),
  }
}

/** One place up or down among the rules of the same list: only their order among each other means anything. */
export function moveRule(rules: readonly RuleDraft[], key: string, by: -1 | 1): RuleDraft[] {
  const at = rules.findIndex((rule) => rule.key === key)
  const list = rules[at]?.list
  let to = at + by
  while (to >= 0 && to < rules.length && rules[to]!.list !== list) to += by
  const one = rules[at]
  const other = rules[to]
  if (!one || !other) return [...rules]
  return rules.map((rule, index) => (index === at ? other : index === to ? one : rule))
}

/** How a list is changed: to another list its mode may not be one of. */
export function inList(rule: RuleDraft, list: RuleList): RuleDraft {
  const modes: readonly string[] = LISTS.find((each) => each.name === list)!.modes
  return { ...rule, list, mode: modes.includes(rule.mode) ? rule.mode : modes[0]! }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
