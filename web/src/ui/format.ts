// Numbers, bytes, durations, money and times as the whole console writes them: the same rounding everywhere.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const hundredths = new Intl.NumberFormat('en', { maximumFractionDigits: 2 })
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

export const UNKNOWN = 'unknown'

export function formatCount(n: number | undefined | null): string {
  return n === undefined || n === null ? UNKNOWN : whole.format(n)
}

/** To the hundredth: hours, percent. */
export const formatHundredths = (n: number): string => hundredths.format(n)

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${whole.format(n)} ${n === 1 ? one : many}`
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** Binary units, three significant digits: 1536 is `1.5 KiB`. */
export function formatBytes(bytes: number | undefined | null): string {
  if (bytes === undefined || bytes === null) return UNKNOWN
  if (bytes < 0) return 'unlimited'
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${value >= 1000 ? whole.format(value) : short.format(value)} ${BYTE_UNITS[unit]}`
}

const DURATION_UNITS: readonly [string, number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
  ['ms', 1],
]

/** Exact: 90,000 ms is `1 min 30 s`; a negative duration is Kafka's "unlimited". */
export function formatDuration(ms: number | undefined | null): string {
  if (ms === undefined || ms === null) return UNKNOWN
  if (ms < 0) return 'unlimited'
  if (ms === 0) return '0 s'
  const parts: string[] = []
  let rest = Math.round(ms)
  for (const [unit, size] of DURATION_UNITS) {
    const count = Math.floor(rest / size)
    if (count > 0) parts.push(`${whole.format(count)} ${unit}`)
    rest -= count * size
  }
  return parts.join(' ')
}

/** Rounded down to one unit, for ages that tick. */
export function formatAge(ms: number): string {
  if (ms < 1000) return 'now'
  for (const [unit, size] of DURATION_UNITS) {
    if (ms >= size) return `${Math.floor(ms / size)} ${unit} ago`
  }
  return 'now'
}

export function formatUntil(ms: number): string {
  if (ms <= 0) return 'over'
  const [unit, size] = DURATION_UNITS.find(([, s]) => ms >= s) ?? ['ms', 1]
  return `in ${Math.floor(ms / size)} ${unit}`
}

const localTime = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })
const localMinute = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' })

export function formatTime(iso: string, precision: 'second' | 'minute' = 'second'): string {
  const at = new Date(iso)
  if (Number.isNaN(at.getTime())) return iso
  return precision === 'second' ? localTime.format(at) : localMinute.format(at)
}

const clockTime = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const dayTime = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })

/** A tick of a time axis in seconds: the day where it changes, the hour otherwise. */
export function tickText(seconds: number, before: number | undefined): string {
  const day = dayTime.format(seconds * 1000)
  const clock = clockTime.format(seconds * 1000)
  if (before === undefined) return clock === '00:00' ? day : `${clock}\n${day}`
  if (dayTime.format(before * 1000) === day) return clock
  return clock === '00:00' ? day : `${clock}\n${day}`
}

export function formatUtc(iso: string): string {
  const at = new Date(iso)
  return Number.isNaN(at.getTime()) ? iso : `${at.toISOString().replace('T', ' ').replace(/\.\d+Z$/, '')} UTC`
}

/**
 * Money stays a decimal string from the server to the screen: a float would lose cents.
 * Small amounts keep up to six decimals, since a topic's hour often costs less than a cent.
 */
export function formatMoney(amount: string, currency: string, decimals?: number): string {
  const format = new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
    currencyDisplay: 'code',
    minimumFractionDigits: decimals ?? 2,
    maximumFractionDigits: decimals ?? 6,
  })
  return format.format(amount as Intl.StringNumericLiteral)
}

/** One number of decimals for a whole column, so that the points stand under each other; the smallest amount decides. */
export function moneyDecimals(amounts: readonly string[]): number {
  const least = Math.min(...amounts.map((a) => Math.abs(Number(a))).filter((value) => value > 0))
  return least < 0.01 ? 6 : least < 1 ? 4 : 2
}

/** Labels of an axis of money: as many decimals as its step needs, the same for all. */
export function moneyTicks(ticks: readonly number[], currency: string): string[] {
  const step = Math.abs((ticks[1] ?? 0) - (ticks[0] ?? 0))
  const decimals = step === 0 ? 2 : Math.max(2, Math.min(8, Math.ceil(-Math.log10(step) - 1e-9)))
  return ticks.map((tick) => formatMoney(tick.toFixed(decimals), currency, decimals))
}

/** Adds decimal strings exactly. */
export function addDecimals(values: readonly string[]): string {
  const scale = Math.max(0, ...values.map((v) => v.split('.')[1]?.length ?? 0))
  const total = values.reduce((sum, v) => sum + toScaled(v, scale), 0n)
  const sign = total < 0n ? '-' : ''
  const digits = (total < 0n ? -total : total).toString().padStart(scale + 1, '0')
  const point = digits.length - scale
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

function toScaled(value: string, scale: number): bigint {
  const negative = value.startsWith('-')
  const [integer = '0', fraction = ''] = value.replace(/^[+-]/, '').split('.')
  const scaled = BigInt(integer + fraction.padEnd(scale, '0'))
  return negative ? -scaled : scaled
}

/** `BROKER_POOL_NOT_READY` and `data_plane` become words. */
export function words(name: string): string {
  if (name.toLowerCase().startsWith('api')) return name.toLowerCase().replaceAll('_', ' ').replace('api', 'API')
  const text = name.replaceAll('_', ' ').replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
  return text.charAt(0).toUpperCase() + text.slice(1)
}
