// Reads of connections: asked of the gateways while somebody looks.
import { useRead } from '../../api/hooks.ts'
import type { Connection, ConnectionList } from '../../api/types.ts'

const AGAIN_MS = 5_000

export const useConnections = (id: string) => useRead<ConnectionList>('/v1/clusters/{id}/connections', { id }, { every: AGAIN_MS })
export const useConnection = (id: string, connection: string) => useRead<Connection>('/v1/clusters/{id}/connections/{connection}', { id, params: { connection } })
