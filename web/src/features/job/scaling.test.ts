import { expect, test } from 'vitest'
import { parallelismText, parseScaling, parseWorkers, policyText, printScaling, readScaling } from './scaling.ts'

test('how many workers', () => {
  expect(['3', ' 1 to 4', '1-4'].map((text) => parseWorkers(text))).toMatchObject([{ value: { min_workers: 3, max_workers: 3 } }, { value: { min_workers: 1, max_workers: 4 } }, { value: { max_workers: 4 } }])
  expect(parseWorkers('many').ok).toBe(false)
})

test('a policy survives the form, and what it does not name goes', () => {
  const policy = { mode: 'MONITORING' as const, utilization_target: 0.5 }
  const text = printScaling({ min_workers: 1, max_workers: 4, policy })
  expect(readScaling(text)).toMatchObject({ workers: '1 to 4', mode: 'MONITORING' })
  expect(parseScaling(text)).toMatchObject({ ok: true, value: { min_workers: 1, max_workers: 4, policy: { ...policy, catch_up_duration_ms: null, excluded_periods: null } } })
  expect(parseScaling(printScaling({ min_workers: 2, max_workers: 2 }))).toEqual({ ok: true, value: { min_workers: 2, max_workers: 2, policy: null } })
  expect(parseScaling(JSON.stringify({ workers: '1', mode: 'ACTIVE' }))).toMatchObject({ value: { policy: { mode: 'ACTIVE', utilization_target: null } } })
  for (const [held, word] of [['{', 'JSON'], ['[]', 'JSON'], ['{"metrics_window_ms": 1}', 'metrics_window_ms']] as const) {
    const read = parseScaling(JSON.stringify({ workers: '1', mode: '', policy: held }))
    expect(read.ok ? '' : read.error).toContain(word)
  }
})

test('who decides, and by what, in words', () => {
  const job = (owner: string, mode?: string) => ({ spec: { scaling: { min_workers: 1, max_workers: 4 } }, status: { parallelism: { owner, mode } } }) as unknown as Parameters<typeof parallelismText>[0]
  expect(parallelismText(job('FIXED'))).toContain('nobody')
  expect(parallelismText(job('AUTOSCALER', 'ACTIVE'))).toBe('the autoscaler, between 1 and 4')
  expect(parallelismText(job('AUTOSCALER', 'MONITORING'))).toContain('changes nothing')
  expect(parallelismText(job('SOMEBODY_ELSE'))).toContain('omebody')
  expect(policyText(undefined)).toBe('')
  const periods = [{ days: [6, 7], from_minute: 0, to_minute: 390 }, { from_minute: 60, to_minute: 1440 }]
  expect(policyText({ utilization_target: 0.5, catch_up_duration_ms: 0, scale_down_max_factor: 0.25, excluded_periods: periods })).toBe(
    'workers 50 % busy; a backlog adds no workers; takes away 25 % at most; nothing changes Sat, Sun 00:00–06:30 UTC; nothing changes daily 01:00–24:00 UTC',
  )
})
