// Reads of contracts.
import { useEffect, useState } from 'react'
import { useList, useObject, useRead } from '../../api/hooks.ts'
import type { ContractVersion } from '../../api/types.ts'

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
