// A schema's text for people: JSON in lines, so that it can be read and compared.

/** Set out in lines where that changes nothing but blanks: a number that JavaScript cannot hold would become another. */
export function printSchema(text: string): string {
  try {
    const value: unknown = JSON.parse(text)
    return bare(JSON.stringify(value)) === bare(text) ? JSON.stringify(value, null, 2) : text
  } catch {
    return text
  }
}

const bare = (text: string) => text.replace(/\s+/g, '')
