// Compatibility levels of the registry, in words.
import { words } from '../../ui/format.ts'

export const COMPATIBILITIES = [
  { value: 'BACKWARD', label: 'Backward: new consumers read what the last version wrote' },
  { value: 'BACKWARD_TRANSITIVE', label: 'Backward, of all versions' },
  { value: 'FORWARD', label: 'Forward: consumers of the last version read what is new' },
  { value: 'FORWARD_TRANSITIVE', label: 'Forward, of all versions' },
  { value: 'FULL', label: 'Full: both' },
  { value: 'FULL_TRANSITIVE', label: 'Full, of all versions' },
  { value: 'NONE', label: 'None: anything may follow' },
] as const

export function levelText(level: string): string {
  return level === 'NONE' ? 'nothing is asked' : words(level).toLowerCase()
}
