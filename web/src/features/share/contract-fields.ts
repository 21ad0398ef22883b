// The fields of a record as a contract's schema names them, for choosing what is masked. Pure. Formats that are not read here, and lists and
// maps within records, are for paths that are typed.
type Members = Record<string, unknown>

export interface ContractField {
  path: string
  type: string
  /** Such as PII: what the contract says of the field. */
  tags: readonly string[]
}

const DEPTH_MAX = 4
const FIELDS_MAX = 200
const isMembers = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value)

export function fieldsOf(format: string, schema: string, tags: Readonly<Record<string, readonly string[]>>): ContractField[] {
  let read: unknown
  try {
    read = JSON.parse(schema)
  } catch {
    return []
  }
  const found: { path: string; type: string }[] = []
  if (format === 'JSON') ofJson(read, '', 0, found)
  if (format === 'AVRO') ofAvro(read, '', 0, found)
  const said = new Map(Object.entries(tags).map(([path, names]) => [path.replace(/^\$\.?/, ''), names]))
  return found.slice(0, FIELDS_MAX).map((field) => ({ ...field, tags: said.get(field.path) ?? [] }))
}

function ofJson(schema: unknown, at: string, depth: number, found: { path: string; type: string }[]): void {
  const properties = isMembers(schema) ? schema['properties'] : undefined
  if (!isMembers(properties) || depth >= DEPTH_MAX) return
  for (const [name, inner] of Object.entries(properties)) {
    const path = at + name
    const before = found.length
    ofJson(inner, `${path}.`, depth + 1, found)
    if (found.length === before) found.push({ path, type: wordOf(isMembers(inner) ? inner['type'] : undefined) })
  }
}

function ofAvro(schema: unknown, at: string, depth: number, found: { path: string; type: string }[]): void {
  const fields = isMembers(schema) ? schema['fields'] : undefined
  if (!Array.isArray(fields) || depth >= DEPTH_MAX) return
  for (const field of fields.filter(isMembers)) {
    const path = at + String(field['name'])
    const inner = unionOf(field['type'])
    const before = found.length
    ofAvro(inner, `${path}.`, depth + 1, found)
    if (found.length === before) found.push({ path, type: wordOf(isMembers(inner) ? (inner['logicalType'] ?? inner['type']) : inner) })
  }
}

/** An optional field is a union with null. */
function unionOf(type: unknown): unknown {
  return Array.isArray(type) ? type.find((it) => it !== 'null') : type
}

function wordOf(type: unknown): string {
  const one = unionOf(type)
  return typeof one === 'string' ? one : 'any'
}
