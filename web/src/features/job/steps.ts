// The steps of a program as the form has them: each with its parts as texts. Reading and writing never fail: what a text cannot be is
// sent as it stands, and refused at its place.
type Members = Record<string, unknown>
type As = 'text' | 'list' | 'map' | 'rules' | 'whole' | 'how'

export interface Part {
  name: string
  label: string
  as: As
  hint?: string
}

interface Kind {
  label: string
  parts: readonly Part[]
}

const CEL = 'An expression (CEL), such as message.amount > 100'
const FIELDS = 'Names with commas between them: card, customer.name'
const fields = (label: string): Part => ({ name: 'fields', label, as: 'list', hint: FIELDS })

/** The steps that the form knows; others are edited as JSON. */
export const KINDS: Readonly<Record<string, Kind>> = {
  filter: { label: 'Filter', parts: [{ name: 'where', label: 'Records go on if', as: 'text', hint: CEL }] },
  project: { label: 'Keep fields', parts: [fields('Fields that stay')] },
  drop: { label: 'Drop fields', parts: [fields('Fields that go')] },
  rename: { label: 'Rename fields', parts: [{ name: 'fields', label: 'Names', as: 'map', hint: 'One a line: id = payment_id' }] },
  mask: {
    label: 'Mask fields',
    parts: [fields('Fields'), { name: 'tags', label: 'Or by tags of the contract', as: 'list' }, { name: 'how', label: 'How', as: 'how', hint: 'REDACT, NULL, KEEP_LAST 4, or HASH and the name of a secret' }],
  },
  cast: { label: 'Convert fields', parts: [{ name: 'fields', label: 'Types', as: 'map', hint: 'One a line: amount = DOUBLE. INT, UINT, DOUBLE, STRING, BYTES, BOOL, TIMESTAMP, DURATION' }] },
  set: { label: 'Set fields', parts: [{ name: 'fields', label: 'Values', as: 'map', hint: 'One a line: total = message.price * message.count' }] },
  flatten: { label: 'Flatten', parts: [{ name: 'separator', label: 'Between names', as: 'text', hint: '_ if nothing is said' }] },
  route: {
    label: 'Choose the sink',
    parts: [
      { name: 'rules', label: 'Rules, the first that is true counts', as: 'rules', hint: 'One a line: sink = condition' },
      { name: 'by', label: 'Or the sink that an expression names', as: 'text' },
      { name: 'otherwise', label: 'Otherwise', as: 'text', hint: 'A sink; without one the record is dropped' },
    ],
  },
  deduplicate: {
    label: 'Drop duplicates',
    parts: [{ ...fields('Compared by'), name: 'by' }, { name: 'window_ms', label: 'Within milliseconds', as: 'whole' }, { name: 'keys_max', label: 'Among so many keys', as: 'whole', hint: '100000 if nothing is said' }],
  },
  validate: { label: 'Validate', parts: [] },
  call: {
    label: 'Call an endpoint',
    parts: [
      { name: 'url', label: 'Address', as: 'text', hint: "Its host must be in the data plane's policy" },
      { name: 'body', label: 'What is sent', as: 'text', hint: "An expression; message if nothing is said" },
      { name: 'set', label: 'What is kept of the answer', as: 'map', hint: 'One a line: score = response.score' },
      { name: 'timeout_ms', label: 'Answer within milliseconds', as: 'whole' },
      { name: 'retries', label: 'Tried again', as: 'whole' },
    ],
  },
}

/** One step in the form. */
export interface Row {
  kind: string
  /** By name of the part. */
  texts: Readonly<Record<string, string>>
  /** Members that the form does not show. */
  rest: Readonly<Members>
}

export const newRow = (kind: string): Row => ({ kind, texts: {}, rest: {} })

const isMembers = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string'

/** The text of a part; undefined when the form has none for such a value. */
function print(as: As, value: unknown): string | undefined {
  switch (as) {
    case 'text': return isText(value) ? value : undefined
    case 'whole': return typeof value === 'number' ? String(value) : undefined
    case 'list': return Array.isArray(value) && value.every((it) => isText(it) && !it.includes(',')) ? value.join(', ') : undefined
    case 'map': return isMembers(value) && Object.entries(value).every(([name, it]) => isText(it) && !/[=\n]/.test(name) && !it.includes('\n')) ? Object.entries(value).map(([name, it]) => `${name} = ${it as string}`).join('\n') : undefined
    case 'rules': {
      const lines = Array.isArray(value) ? value.map((it: unknown) => (isMembers(it) && isText(it['where']) && isText(it['to']) && Object.keys(it).length === 2 && !/[=\n]/.test(it['to']) && !it['where'].includes('\n') ? `${it['to']} = ${it['where']}` : undefined)) : [undefined]
      return lines.includes(undefined) ? undefined : lines.join('\n')
    }
    case 'how': {
      if (isText(value)) return value
      const [name, inner] = (isMembers(value) && Object.entries(value)[0]) || ['', undefined]
      if (!isMembers(inner)) return undefined
      return name === 'KEEP_LAST' && typeof inner['n'] === 'number' ? `KEEP_LAST ${inner['n']}` : name === 'HASH' && isText(inner['key']) ? `HASH ${inner['key']}` : undefined
    }
  }
}

const lines = (text: string): (readonly [string, string])[] =>
  text.split('\n').filter((line) => line.trim() !== '').map((line) => {
    const at = line.indexOf('=')
    return at < 0 ? [line.trim(), ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()]
  })

/** The value of a text. */
function read(as: As, text: string): unknown {
  const trimmed = text.trim()
  switch (as) {
    case 'text': return trimmed
    case 'whole': return /^\d+$/.test(trimmed) ? Number(trimmed) : trimmed
    case 'list': return trimmed.split(',').map((it) => it.trim()).filter((it) => it !== '')
    case 'map': return Object.fromEntries(lines(text))
    case 'rules': return lines(text).map(([to, where]) => ({ where, to }))
    case 'how': {
      const [name, what = ''] = trimmed.split(/\s+/, 2)
      if (name === 'KEEP_LAST') return { KEEP_LAST: { n: read('whole', what) } }
      return name === 'HASH' ? { HASH: { key: what } } : trimmed
    }
  }
}

function rowOf(step: unknown): Row | undefined {
  if (!isMembers(step)) return undefined
  const [[kind, body] = ['', undefined], ...more] = Object.entries(step)
  const known = KINDS[kind]
  if (!known || more.length > 0 || !isMembers(body)) return undefined
  const [texts, rest]: [Record<string, string>, Members] = [{}, { ...body }]
  for (const { name, as } of known.parts) {
    if (!(name in body)) continue
    const text = print(as, body[name])
    if (text === undefined) return undefined
    texts[name] = text
    Reflect.deleteProperty(rest, name)
  }
  return { kind, texts, rest }
}

/** The steps of a JSON text as rows; undefined when the form cannot show all of them. */
export function rowsOf(text: string): Row[] | undefined {
  let steps: unknown
  try {
    steps = JSON.parse(text.trim() === '' ? '[]' : text)
  } catch {
    return undefined
  }
  const rows = Array.isArray(steps) ? steps.map(rowOf) : [undefined]
  return rows.every((row) => row !== undefined) ? rows : undefined
}

/** The step of a row; empty parts are left out. */
export function stepOf({ kind, texts, rest }: Row): Members {
  const body: Members = {}
  for (const { name, as } of KINDS[kind]?.parts ?? []) {
    const text = texts[name] ?? ''
    if (text.trim() !== '') body[name] = read(as, text)
  }
  return { [kind]: { ...body, ...rest } }
}
