// A schema's text for people: JSON in lines, so that it can be read and compared.

/** Set out in lines; what is no JSON stays as it is. */
export function printSchema(text: string): string {
  const value = exactly(text)
  return value === undefined ? text : JSON.stringify(value, null, 2)
}

/** The same with the keys of objects in order, so that two are compared by what they say and not by how they are laid out. */
export function printSorted(text: string): string {
  const value = exactly(text)
  return value === undefined ? text : JSON.stringify(sorted(value), null, 2)
}

/** The value of a JSON text, if JavaScript can hold it: a number with too many digits would become another. */
function exactly(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return bare(JSON.stringify(value)) === bare(text) ? value : undefined
  } catch {
    return undefined
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, child]) => [key, sorted(child)]))
}

const bare = (text: string) => text.replace(/\s+/g, '')
