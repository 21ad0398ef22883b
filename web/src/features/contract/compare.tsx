// Two versions side by side: which lines of the schema, the tags and the rules went and came.
import type { ContractVersion } from '../../api/types.ts'
import { LineDiff } from '../../ui/line-diff.tsx'
import { PartMissing, Skeleton } from '../../ui/states.tsx'
import { useContractVersion } from './queries.ts'
import { printSorted } from './schema-text.ts'

export function Compare({ contract, before, after }: { contract: string; before: number; after: number }) {
  const [left, right] = [useContractVersion(contract, before), useContractVersion(contract, after)]
  if (left.isPending || right.isPending) return <Skeleton label="Reading both versions" />
  if (!left.data || !right.data) return <PartMissing what="One of the versions" error={left.error ?? right.error} again={() => void Promise.all([left.refetch(), right.refetch()])} />
  return (
    <>
      <LineDiff title="Schema" before={printSorted(left.data.schema)} after={printSorted(right.data.schema)} />
      <LineDiff title="Rules, tags and properties" before={printRest(left.data)} after={printRest(right.data)} />
    </>
  )
}

function printRest({ rule_set, tags, properties }: ContractVersion): string {
  return JSON.stringify({ rule_set, tags, properties }, null, 2)
}
