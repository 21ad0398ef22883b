// What an alert rule says, in words.
import type { AlertRule } from '../../api/types.ts'
import { formatDuration } from '../../ui/format.ts'

type Kind = AlertRule['spec']['kind']

export const KIND_LABELS: readonly { value: Kind; label: string }[] = [
  { value: 'THROTTLING', label: 'Waiting for quotas, milliseconds a minute' },
  { value: 'STORAGE', label: 'Storage used, percent of the quota' },
]

export function valueText(kind: Kind, value: number | undefined): string {
  if (value === undefined) return 'unknown'
  return kind === 'STORAGE' ? `${value} %` : `${formatDuration(value)} a minute`
}

export function ruleText({ kind, threshold, for_seconds = 0 }: Pick<AlertRule['spec'], 'kind' | 'threshold' | 'for_seconds'>): string {
  const lasting = for_seconds > 0 ? ` for ${formatDuration(for_seconds * 1000)}` : ''
  return kind === 'STORAGE' ? `storage at ${threshold} % or more${lasting}` : `waiting ${formatDuration(threshold)} a minute or more${lasting}`
}
