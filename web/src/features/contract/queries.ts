// Reads of contracts.
import { useQuery, type UseQueryResult } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { Api } from '../../api/client.ts'
import { useApi, useList, useObject, useRead } from '../../api/hooks.ts'
import type { Contract, ContractVersion } from '../../api/types.ts'
import type { EngineDraft } from './draft.ts'
import type { Reference } from './wire.ts'

const SETTLED_MS = 300

/** What was typed, once nobody types any more. */
function useSettled(text: string | undefined): string | undefined {
  const [settled, setSettled] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), SETTLED_MS)
    return () => clearTimeout(timer)
  }, [text])
  return settled
}

/** Searched by the server: it looks into schemas, tags and properties, too. */
export function useContracts({ environment, q }: { environment?: string; q?: string }) {
  const sought = useSettled(q?.trim())
  return useList('/v1/contracts', { ...(environment && { environment }), ...(sought && { q: sought }) }, { keep: true })
}
export const useContract = (id: string | undefined) => useObject('/v1/contracts', id)
export const useContractVersion = (id: string, version: number | undefined) =>
  useRead<ContractVersion>('/v1/contracts/{id}/versions/{version}', { id, params: { version: String(version) } }, { enabled: version !== undefined })

type Resolved = EngineDraft['references']
/** As many as the engine takes. */
const REFERENCES_MAX = 256

/** The texts of what a schema refers to, and of what those refer to, dependencies first. */
export function useResolved(references: readonly Reference[] | undefined, environment: string): UseQueryResult<Resolved> {
  const api = useApi()
  const named = references?.filter((each) => each.subject !== '' && each.name !== '')
  return useQuery({
    queryKey: ['/v1/contracts', 'references', environment, named],
    queryFn: async ({ signal }) => {
      const found = new Map<string, string>()
      const seen = new Set<string>()
      for (const each of named ?? []) await resolve({ api, environment, found, seen, signal }, each)
      return [...found].map(([name, schema]) => ({ name, schema }))
    },
    enabled: references !== undefined,
    // A version that stands never changes.
    staleTime: Infinity,
  })
}

interface Walk {
  api: Api
  environment: string
  found: Map<string, string>
  seen: Set<string>
  signal: AbortSignal
}

async function resolve(walk: Walk, { name, subject, version }: Reference): Promise<void> {
  const { api, environment, found, seen, signal } = walk
  if (seen.has(name)) return
  seen.add(name)
  if (seen.size > REFERENCES_MAX) throw new Error(`More than ${REFERENCES_MAX} references`)
  const { data: { data: contracts } } = await api.send<{ data: Contract[] }>({ method: 'get', path: '/v1/contracts', query: { q: subject, environment: environment || undefined, page_size: '1000' }, signal })
  const contract = contracts.find((each) => each.spec.subject === subject && (each.spec.environment ?? '') === environment)
  if (!contract) throw new Error(`There is no subject ${subject} here`)
  const { data } = await api.send<ContractVersion>({ method: 'get', path: '/v1/contracts/{id}/versions/{version}', id: contract.id, params: { version: String(version) }, signal })
  for (const each of data.references) await resolve(walk, each)
  found.set(name, data.schema)
}
