import { expect, test } from 'vitest'
import { addDecimals, formatAge, formatBytes, formatDuration, formatMoney, moneyDecimals, moneyTicks, tickText, words } from './format.ts'

test('bytes keep three significant digits and say unlimited', () => {
  expect(formatBytes(0)).toBe('0 B')
  expect(formatBytes(1536)).toBe('1.5 KiB')
  expect(formatBytes(1_048_588)).toBe('1 MiB')
  expect(formatBytes(1023)).toBe('1,023 B')
  expect(formatBytes(-1)).toBe('unlimited')
  expect(formatBytes(undefined)).toBe('unknown')
})

test('durations are exact', () => {
  expect(formatDuration(604_800_000)).toBe('7 d')
  expect(formatDuration(90_000)).toBe('1 min 30 s')
  expect(formatDuration(-1)).toBe('unlimited')
  expect(formatDuration(0)).toBe('0 s')
})

test('ages round down to one unit', () => {
  expect(formatAge(4_999)).toBe('4 s ago')
  expect(formatAge(999)).toBe('now')
  expect(formatAge(3 * 86_400_000)).toBe('3 d ago')
})

test('money never passes through a float', () => {
  expect(addDecimals(['0.1', '0.2'])).toBe('0.3')
  expect(addDecimals(['9007199254740993.01', '0.000001'])).toBe('9007199254740993.010001')
  expect(addDecimals(['-0.5', '0.25'])).toBe('-0.25')
  expect(addDecimals([])).toBe('0')
  expect(formatMoney('9007199254740993.01', 'EUR', 2)).toBe('EUR\u00a09,007,199,254,740,993.01')
  expect(formatMoney('0.000123', 'EUR')).toBe('EUR\u00a00.000123')
})

test('a column shows small amounts with the same decimals', () => {
  expect(moneyDecimals(['0.0001', '12'])).toBe(6)
  expect(moneyDecimals(['0', '12.5'])).toBe(2)
  expect(moneyDecimals(['0.08675'])).toBe(4)
  expect(moneyDecimals([])).toBe(2)
  expect(moneyTicks([0, 0.005, 0.01], 'EUR')).toEqual(['EUR\u00a00.000', 'EUR\u00a00.005', 'EUR\u00a00.010'])
})

test('ticks name the day only where it changes', () => {
  const noon = Date.parse('2026-11-21T12:00:00') / 1000
  expect(tickText(noon + 3600, noon)).toBe('13:00')
  expect(tickText(noon + 86_400, noon)).toBe('12:00\n22 Nov')
})

test('codes become words', () => {
  expect(words('AGENT_SILENT')).toBe('Agent silent')
  expect(words('api_keys')).toBe('API keys')
})
