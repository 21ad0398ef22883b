// Reads of lineage.
import { useRead } from '../../api/hooks.ts'
import type { LineageGraph } from './layout.ts'

/** Of one of them. */
export type LineageOf = { cluster_id: string } | { topic_id: string } | { contract_id: string }

const AGAIN_MS = 30_000
export const useLineage = (of: LineageOf) => useRead<LineageGraph>('/v1/lineage', { query: of }, { every: AGAIN_MS })
