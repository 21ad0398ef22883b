// Prices of a rate card: what they may be, and their reading and writing as text. Pure.
import type { RateCard } from '../../api/types.ts'
import { words } from '../../ui/format.ts'
import type { Parsed } from '../../ui/form/parse.ts'

export type Price = RateCard['spec']['prices'][number]
export type Meter = Price['meter']

export const METERS: readonly { meter: Meter; label: string; units: readonly Price['unit'][] }[] = [
  { meter: 'PRODUCE_BYTES', label: 'Bytes produced', units: ['GIB', 'BYTE'] },
  { meter: 'FETCH_BYTES', label: 'Bytes consumed', units: ['GIB', 'BYTE'] },
  { meter: 'PRODUCE_RECORDS', label: 'Records produced', units: ['MILLION_RECORDS', 'RECORD'] },
  { meter: 'FETCH_RECORDS', label: 'Records consumed', units: ['MILLION_RECORDS', 'RECORD'] },
  { meter: 'REQUESTS', label: 'Requests', units: ['MILLION_REQUESTS', 'REQUEST'] },
]
export const MODELS: readonly { model: Price['model']; label: string }[] = [
  { model: 'PER_UNIT', label: 'per unit' },
  { model: 'GRADUATED', label: 'graduated: each tier at its price' },
  { model: 'VOLUME', label: 'volume: all at the tier reached' },
  { model: 'PACKAGE', label: 'package: whole packages' },
]
const UNIT_WORDS: Record<string, string> = {
  BYTE: 'byte', GIB: 'GiB', RECORD: 'record', MILLION_RECORDS: 'million records', REQUEST: 'request', MILLION_REQUESTS: 'million requests',
}

export const unitWord = (unit: string): string => UNIT_WORDS[unit] ?? words(unit)
export const meterLabel = (meter: string): string => METERS.find((m) => m.meter === meter)?.label ?? words(meter)

export function readPrices(text: string): Price[] {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? (value as Price[]) : []
  } catch {
    return []
  }
}

const DECIMAL = /^\d+(\.\d+)?$/

export function parsePrices(text: string): Parsed<Price[]> {
  const prices = readPrices(text)
  if (prices.length === 0) return { ok: false, error: 'At least one meter needs a price' }
  for (const price of prices) {
    const name = meterLabel(price.meter)
    for (const [index, tier] of price.tiers.entries()) {
      const last = index === price.tiers.length - 1
      if (!DECIMAL.test(tier.unit_price)) return { ok: false, error: `${name}: a price is a decimal number, such as 0.05` }
      if (!last && !DECIMAL.test(tier.up_to ?? '')) return { ok: false, error: `${name}: every tier but the last needs its end` }
    }
  }
  return { ok: true, value: prices }
}
