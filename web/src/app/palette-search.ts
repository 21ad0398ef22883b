// What the palette offers and how typing narrows it. Pure.
import type { IconName } from '../ui/icons.tsx'
import type { Search } from './search.ts'

export interface Entry {
  key: string
  label: string
  note: string
  icon: IconName
  to: string
  id?: string
  search?: Search
}

const SHOWN_MAX = 40

/** Every word must occur; what begins with the words comes first. */
export function narrow(entries: readonly Entry[], text: string): Entry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const found = entries.filter((e) => words.every((w) => `${e.label} ${e.note} ${e.id ?? ''}`.toLowerCase().includes(w)))
  const rank = (e: Entry) => (words[0] && e.label.toLowerCase().startsWith(words[0]) ? 0 : 1)
  return found.sort((a, b) => rank(a) - rank(b)).slice(0, SHOWN_MAX)
}
