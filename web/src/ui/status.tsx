// Phases and times: what is so, since when, and what is not known.
import { useSyncExternalStore } from 'react'
import { formatAge, formatTime, formatUntil, formatUtc, words } from './format.ts'

export type Mood = 'good' | 'busy' | 'warn' | 'bad' | 'off'

const MOODS: Record<string, Mood> = {
  READY: 'good', RUNNING: 'good', COMPLETED: 'good', ACTIVE: 'good', APPROVED: 'good', CONNECTED: 'good', OK: 'good',
  PENDING: 'busy', PROVISIONING: 'busy', DELETING: 'busy', STOPPING: 'busy', OFFERED: 'busy', INVITED: 'busy', PREVIEWED: 'busy',
  DEGRADED: 'warn', SILENT: 'warn', EXPIRED: 'warn', NO_DATA: 'warn',
  FAILED: 'bad', FIRING: 'bad', BREACHED: 'bad',
  DECLINED: 'off', REJECTED: 'off', WITHDRAWN: 'off', REVOKED: 'off', LEFT: 'off', SUSPENDED: 'off', STOPPED: 'off',
}
const GLYPHS: Record<Mood, string> = { good: '●', busy: '◐', warn: '▲', bad: '✕', off: '○' }

/** The glyph differs by mood, so that colour is never alone. A phase not known here is shown as it came. */
export function Phase({ phase, title }: { phase: string | undefined; title?: string }) {
  const mood = phase ? (MOODS[phase] ?? 'off') : 'off'
  return (
    <span className={`phase ${mood}`} title={title} data-phase={phase}>
      <span aria-hidden="true">{GLYPHS[mood]}</span>
      {phase ? words(phase) : 'Unknown'}
    </span>
  )
}

const subscribers = new Set<() => void>()
let now = Date.now()
let clock: ReturnType<typeof setInterval> | undefined

/** One clock for all ages on a page. */
function subscribe(tick: () => void): () => void {
  subscribers.add(tick)
  // Nobody looked for a while: the time that was kept is old.
  if (!clock) now = Date.now()
  clock ??= setInterval(() => {
    now = Date.now()
    for (const each of subscribers) each()
  }, 1000)
  return () => {
    subscribers.delete(tick)
    if (subscribers.size === 0) {
      clearInterval(clock)
      clock = undefined
    }
  }
}

export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now)
}

/** `4 s ago`, with the local and the UTC time on hover. */
export function Age({ at, never = 'never' }: { at: string | undefined | null; never?: string }) {
  const present = useNow()
  if (!at) return <span className="muted">{never}</span>
  const ms = Math.max(0, present - Date.parse(at))
  return <time dateTime={at} title={`${formatTime(at)} (${formatUtc(at)})`}>{formatAge(ms)}</time>
}

export function Until({ at }: { at: string }) {
  const present = useNow()
  return <time dateTime={at} title={`${formatTime(at)} (${formatUtc(at)})`}>{formatUntil(Date.parse(at) - present)}</time>
}

export function Moment({ at, precision }: { at: string | undefined | null; precision?: 'second' | 'minute' }) {
  if (!at) return <span className="muted">unknown</span>
  return <time dateTime={at} title={formatUtc(at)}>{formatTime(at, precision)}</time>
}
