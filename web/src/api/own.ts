// Ids of objects that this page's reader made: they are no news to them, so lists show them at once.

const KEPT_MAX = 200
const own = new Set<string>()

export function noteOwn(answer: unknown): void {
  const id = (answer as { id?: unknown } | undefined)?.id
  if (typeof id !== 'string') return
  own.add(id)
  const oldest = own.values().next()
  if (own.size > KEPT_MAX && !oldest.done) own.delete(oldest.value)
}

export function isOwn(id: string): boolean {
  return own.has(id)
}
