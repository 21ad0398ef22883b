// Rules of a version as the registry's API writes them. Anybody may have registered them: nothing is taken for granted.

export interface RuleRow {
  key: string
  list: string
  name: string
  kind: string
  mode: string
  type: string
  expression: string
  tags: string
  onFailure: string
  disabled: boolean
  doc: string
}

const LISTS = [['domainRules', 'Domain'], ['migrationRules', 'Migration'], ['encodingRules', 'Encoding']] as const

export const MODES: Record<string, string> = {
  WRITE: 'write', READ: 'read', WRITEREAD: 'write and read', UPGRADE: 'upgrade', DOWNGRADE: 'downgrade', UPDOWN: 'upgrade and downgrade',
}

export function ruleRows(set: unknown): RuleRow[] {
  return LISTS.flatMap(([name, label]) => {
    const list: unknown = isRecord(set) ? set[name] : undefined
    return Array.isArray(list) ? list.filter(isRecord).map((rule, at) => row(rule, label, `${name}.${at}`)) : []
  })
}

function row(rule: Record<string, unknown>, list: string, key: string): RuleRow {
  const text = (name: string) => (typeof rule[name] === 'string' ? rule[name] : '')
  return {
    key, list,
    name: text('name'),
    // What the registry takes where nothing is said.
    kind: (text('kind') || 'TRANSFORM').toLowerCase(),
    mode: MODES[text('mode')] ?? MODES.WRITEREAD!,
    type: text('type'),
    expression: text('expr'),
    tags: Array.isArray(rule.tags) ? rule.tags.filter((it) => typeof it === 'string').join(', ') : '',
    onFailure: text('onFailure') || 'ERROR',
    disabled: rule.disabled === true,
    doc: text('doc'),
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
