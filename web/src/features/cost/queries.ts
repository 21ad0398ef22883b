// Reads of usage and cost: all pages of a report, up to a bound that is said when it is reached.
import { useQuery } from '@tanstack/react-query'
import { useApi } from '../../api/hooks.ts'
import type { CostReport, UsageReport } from '../../api/types.ts'

export interface ReportQuery {
  start: string
  end: string
  granularity: string
  group_by: string
}

const PAGES_MAX = 20

export interface Whole<R> {
  report: R
  /** There are more rows than were read. */
  cut: boolean
}

function useReport<R extends CostReport | UsageReport>(path: '/v1/costs' | '/v1/usage', query: ReportQuery, enabled: boolean) {
  const api = useApi()
  return useQuery({
    queryKey: [path, query],
    enabled,
    // Windows close every minute; a report is read again at that pace while it is looked at.
    refetchInterval: 60_000,
    queryFn: async ({ signal }): Promise<Whole<R>> => {
      let report: R | undefined
      let token: string | undefined
      for (let page = 0; page < PAGES_MAX; page += 1) {
        const { data } = await api.send<R>({ method: 'get', path, signal, query: { ...query, page_size: '1000', page_token: token } })
        report = report ? { ...data, data: [...report.data, ...data.data] } : data
        token = data.metadata.next_page_token
        if (!token) return { report, cut: false }
      }
      return { report: report!, cut: true }
    },
  })
}

export const useCosts = (query: ReportQuery, enabled = true) => useReport<CostReport>('/v1/costs', query, enabled)
export const useUsage = (query: ReportQuery, enabled = true) => useReport<UsageReport>('/v1/usage', query, enabled)
