// What the address holds beside the path: filters, tabs, the tenant in view, the dialog that is open.
import { useNavigate, useSearch } from '@tanstack/react-router'

const KEYS = [
  'tenant', 'do', 'tab', 'q', 'environment', 'cluster', 'service_account', 'data_plane', 'direction', 'kind', 'who', 'action',
  'object', 'range', 'start', 'end', 'granularity', 'group_by', 'measure', 'organization', 'event', 'version', 'against', 'subject',
] as const

export type SearchKey = (typeof KEYS)[number]
export type Search = Partial<Record<SearchKey, string>>

/** Unknown keys are dropped, values are plain text: nothing in an address can be more than that. */
export function validateSearch(raw: Record<string, unknown>): Search {
  const search: Search = {}
  for (const key of KEYS) {
    const value = raw[key]
    if (typeof value === 'string' && value !== '') search[key] = value
  }
  return search
}

export function parseSearch(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text))
}

export function stringifySearch(search: Record<string, unknown>): string {
  const params = new URLSearchParams()
  for (const [key, value] of Object.entries(search)) if (typeof value === 'string' && value !== '') params.set(key, value)
  const text = params.toString()
  return text === '' ? '' : `?${text}`
}

export function useAddress(): Search {
  return useSearch({ strict: false })
}

/** Changes some keys of the address and leaves the rest; `undefined` removes one. */
export function useSetAddress(): (change: Search, options?: { push?: boolean }) => void {
  const navigate = useNavigate()
  return (change, options) =>
    void navigate({
      to: '.',
      search: (old: Search) => ({ ...old, ...change }),
      replace: !options?.push,
      resetScroll: false,
    } as Parameters<typeof navigate>[0])
}

/** The dialog named in the address (`?do=create`), so that a link can open it. */
export function useDialogInAddress(name: string): { open: boolean; show: () => void; close: () => void } {
  const address = useAddress()
  const set = useSetAddress()
  return {
    open: address.do === name,
    show: () => set({ do: name }, { push: true }),
    close: () => set({ do: undefined }),
  }
}
