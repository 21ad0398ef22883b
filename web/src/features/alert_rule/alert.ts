// What an alert rule says, in words.
import type { AlertRule } from '../../api/types.ts'
import { formatDuration, plural } from '../../ui/format.ts'

type Kind = AlertRule['spec']['kind']
type Rule = Pick<AlertRule['spec'], 'kind' | 'threshold' | 'for_seconds' | 'group' | 'topic'>
type Status = Pick<AlertRule['status'], 'value' | 'reason'>

export const KIND_LABELS: readonly { value: Kind; label: string }[] = [
  { value: 'THROTTLING', label: 'Waiting for quotas, milliseconds a minute' },
  { value: 'STORAGE', label: 'Storage used, percent of the quota' },
  { value: 'LAG', label: 'Lag of a consumer group, records' },
  { value: 'VIOLATIONS', label: 'Records that break contracts, a minute' },
]

const REASONS: Record<string, string> = {
  NO_REPORT: 'The agent has not reported on it for a minute, or not yet: see its data plane.',
  NO_COMMITS: 'There is no such group, or it has committed no offset there.',
  WITHHELD: 'The owner of the data plane withholds this group by policy.',
  UNREACHABLE: 'The brokers do not answer.',
  TOO_MANY: 'The data plane has more such rules than its agent watches.',
}

function amount(kind: Kind, value: number): string {
  switch (kind) {
    case 'STORAGE': return `${value} %`
    case 'THROTTLING': return `${formatDuration(value)} a minute`
    case 'LAG': return plural(value, 'record')
    case 'VIOLATIONS': return `${plural(value, 'record')} a minute`
    default: return String(value)
  }
}

export function valueText(kind: Kind, { value }: Status): string {
  return value === undefined ? 'unknown' : amount(kind, value)
}

/** Why there is no value; a reason that is not known here is shown as it came. */
export function reasonText({ reason }: Status): string | undefined {
  return reason && (REASONS[reason] ?? reason)
}

export function watchedText({ kind, group, topic }: Rule): string {
  switch (kind) {
    case 'STORAGE': return 'storage'
    case 'THROTTLING': return 'waiting'
    case 'VIOLATIONS': return topic ? `broken contract of ${topic}` : 'broken contracts'
    case 'LAG': return `lag of ${group ?? '?'}${topic ? ` in ${topic}` : ''}`
    default: return kind
  }
}

export function ruleText(rule: Rule): string {
  const { kind, threshold, for_seconds = 0 } = rule
  const lasting = for_seconds > 0 ? ` for ${formatDuration(for_seconds * 1000)}` : ''
  return `${watchedText(rule)} at ${amount(kind, threshold)} or more${lasting}`
}
