// Reads of shares: given, received, what one shows, and the tenant's switch.
import { useQuery, type UseQueryResult } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { Api } from '../../api/client.ts'
import { useApi, useAll, useList, useObject, useRead } from '../../api/hooks.ts'
import type { AccessRequest, Cluster, Contract, ContractVersion, SharePreview, ShareServiceLevels, Sharing, Topic, TopicVisibility } from '../../api/types.ts'
import { useSessionDoor } from '../../app/session.tsx'
import { subjectText } from '../topic/contract.ts'
import { fieldsOf, type ContractField } from './contract-fields.ts'

// What was read and whether gateways obey come without an event.
const STATUS_EVERY_MS = 10_000

export const useShares = (filters: { topic?: string } = {}) => useList('/v1/shares', filters, { every: STATUS_EVERY_MS })
export const useAllShares = (enabled = true) => useAll('/v1/shares', undefined, { enabled })
export const useShare = (id: string | undefined) => useObject('/v1/shares', id, { every: STATUS_EVERY_MS })
export const useReceivedShares = () => useList('/v1/received-shares', {}, { every: STATUS_EVERY_MS })
export const useReceivedShare = (id: string | undefined) => useObject('/v1/received-shares', id, { every: STATUS_EVERY_MS })
export const useSharing = (enabled = true) => useRead<Sharing>('/v1/sharing', {}, { enabled })

export const useProducts = (q: string | undefined) => useList('/v1/data-products', q ? { q } : {}, { keep: true })
export const useProduct = (id: string | undefined) => useObject('/v1/data-products', id)
export const useRequests = (filters: { direction?: string; phase?: AccessRequest['status']['phase'] }) => useList('/v1/access-requests', filters, { every: STATUS_EVERY_MS })
export const useVisibility = (topic: string) => useRead<TopicVisibility>('/v1/topics/{id}/visibility', { id: topic })
/** Measured once a minute. */
export const useShareLevels = (id: string, received: boolean) => useRead<ShareServiceLevels>(received ? '/v1/received-shares/{id}/service-levels' : '/v1/shares/{id}/service-levels', { id }, { every: 20_000 })

/** Looking is a deed that the provider sees: it is done once, and again when the share changes. */
export function useSharePreview(id: string, enabled: boolean): UseQueryResult<SharePreview> {
  const api = useApi()
  return useQuery({
    queryKey: ['/v1/received-shares', 'preview', id],
    queryFn: async ({ signal }) => (await api.send<SharePreview>({ method: 'post', path: '/v1/received-shares/{id}/preview', id, body: {}, signal })).data,
    enabled,
    refetchOnWindowFocus: false,
  })
}

type Looked = { preview?: SharePreview; error?: unknown }

/** What a token invites to; nobody need be signed in, so there is no cache of queries around it. */
export function useInvitation(token: string | undefined): Looked & { again: () => void } {
  const { csrf } = useSessionDoor()
  const [looked, setLooked] = useState<Looked>({})
  const [round, setRound] = useState(0)
  useEffect(() => {
    if (token === undefined) return
    const end = new AbortController()
    new Api(csrf).send<SharePreview>({ method: 'post', path: '/v1/share-invitations/preview', body: { token }, signal: end.signal }).then(
      ({ data }) => setLooked({ preview: data }),
      (error: unknown) => { if (!end.signal.aborted) setLooked({ error }) },
    )
    return () => end.abort()
  }, [token, csrf, round])
  return { ...looked, again: () => { setLooked({}); setRound((n) => n + 1) } }
}

/** The fields that a topic's contract names; none where there is no contract or its subject is not the topic's. */
export function useReadFields(): (topic: Topic) => Promise<ContractField[]> {
  const api = useApi()
  return (topic) => readFields(api, topic)
}

export function useFields(topic: Topic | undefined): UseQueryResult<ContractField[]> {
  const api = useApi()
  return useQuery({
    queryKey: ['/v1/contracts', 'fields', topic?.id, topic?.metadata.generation],
    queryFn: ({ signal }) => readFields(api, topic!, signal),
    enabled: topic !== undefined,
    retry: false,
  })
}

async function readFields(api: Api, topic: Topic, signal?: AbortSignal): Promise<ContractField[]> {
  const promised = topic.spec.contract?.value
  if (!promised || (promised.strategy ?? 'TOPIC_NAME') !== 'TOPIC_NAME') return []
  const subject = subjectText(topic.spec.name, 'value', 'TOPIC_NAME')
  const { data: cluster } = await api.send<Cluster>({ method: 'get', path: '/v1/clusters/{id}', id: topic.spec.cluster, signal })
  const { data: { data: contracts } } = await api.send<{ data: Contract[] }>({ method: 'get', path: '/v1/contracts', query: { q: subject, page_size: '1000' }, signal })
  const contract = contracts.find((each) => each.spec.subject === subject && (each.spec.environment ?? '') === cluster.spec.environment)
  const version = contract?.status.latest?.version
  if (!contract || version === undefined) return []
  const { data } = await api.send<ContractVersion>({ method: 'get', path: '/v1/contracts/{id}/versions/{version}', id: contract.id, params: { version: String(version) }, signal })
  return fieldsOf(data.format, data.schema, data.tags)
}
