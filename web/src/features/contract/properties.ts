// The properties of a version that have a meaning of their own: whose it is, who may see it, what its stream promises.
import { parsePairs, printPairs } from '../../ui/form/parse.ts'

export const LIFECYCLES = ['DRAFT', 'STABLE', 'DEPRECATED', 'RETIRED'] as const
export const CLASSIFICATIONS = ['PUBLIC', 'INTERNAL', 'CONFIDENTIAL', 'RESTRICTED'] as const
const ABOUT = ['owner', 'lifecycle', 'classification', 'description'] as const

export type About = Record<(typeof ABOUT)[number], string>

/** Each level with the units it is promised in, the usual one first. */
export const LEVELS = [
  { name: 'freshness', label: 'Freshness', units: ['m', 's', 'h', 'd'], means: 'The newest record is not older than this.' },
  { name: 'completeness', label: 'Completeness', units: ['percent'], means: 'So many records are as promised.' },
  { name: 'availability', label: 'Availability', units: ['percent'], means: 'So much of the time the topic can be used.' },
] as const

export type LevelName = (typeof LEVELS)[number]['name']
export interface Level {
  value: string
  unit: string
}
export type Levels = Record<LevelName, Level>

export const UNIT_WORDS: Record<string, string> = { s: 'seconds', m: 'minutes', h: 'hours', d: 'days', percent: '%' }
export const NO_LEVELS: Levels = { freshness: { value: '', unit: 'm' }, completeness: { value: '', unit: 'percent' }, availability: { value: '', unit: 'percent' } }
const PREFIX = 'service_level.'

interface Parts {
  about: About
  levels: Levels
  /** One `name=value` a line. */
  others: string
  /** Properties that a line cannot hold, such as those of several lines: they stay as they are. */
  kept: Record<string, string>
}

/** What cannot be read as a level of ours stays a property as it was written. */
export function splitProperties(properties: Record<string, string>): Parts {
  const rest = { ...properties }
  const about: About = { owner: '', lifecycle: '', classification: '', description: '' }
  const levels = { ...NO_LEVELS }
  for (const name of ABOUT) {
    const value = rest[name]
    // A word that is none of ours is a free property.
    const known = name === 'lifecycle' ? LIFECYCLES : name === 'classification' ? CLASSIFICATIONS : undefined
    if (value === undefined || (known && !(known as readonly string[]).includes(value))) continue
    about[name] = value
    delete rest[name]
  }
  for (const { name, units } of LEVELS) {
    const [, value, unit] = /^(\d+(?:\.\d+)?) (\S+)$/.exec(rest[PREFIX + name] ?? '') ?? []
    if (value === undefined || unit === undefined || !(units as readonly string[]).includes(unit)) continue
    levels[name] = { value, unit }
    delete rest[PREFIX + name]
  }
  const lines = Object.entries(rest).filter(([name, value]) => fitsLine(name, value))
  const kept = Object.entries(rest).filter(([name, value]) => !fitsLine(name, value))
  return { about, levels, others: printPairs(Object.fromEntries(lines)), kept: Object.fromEntries(kept) }
}

function fitsLine(name: string, value: string): boolean {
  const read = parsePairs(printPairs({ [name]: value }))
  return read.ok && read.value[name] === value
}

export function propertiesOf({ about, levels, others, kept }: Parts): Record<string, string> {
  const pairs = parsePairs(others)
  const properties: Record<string, string> = { ...kept, ...(pairs.ok && pairs.value) }
  for (const name of ABOUT) if (about[name].trim() !== '') properties[name] = about[name].trim()
  for (const { name } of LEVELS) {
    const { value, unit } = levels[name]
    if (value.trim() !== '') properties[PREFIX + name] = `${value.trim()} ${unit}`
  }
  // Written in one order, so that a form that nobody touched says the same as before.
  return Object.fromEntries(Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** What is wrong with a level, in words; nothing where it is not promised. */
export function levelError(name: LevelName, { value }: Level): string | undefined {
  const text = value.trim()
  if (text === '') return undefined
  if (!/^\d+(\.\d+)?$/.test(text)) return 'A number is needed'
  if (name === 'freshness') return Number(text) > 0 ? undefined : 'More than 0'
  // Without an end to spare there is no budget, which may be wanted; nothing to keep may not.
  return Number(text) > 0 && Number(text) <= 100 ? undefined : 'Between 0 and 100'
}
