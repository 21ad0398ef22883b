// Two versions side by side: which lines of the schema, the tags and the rules went and came.
import { diffLines } from 'diff'
import type { ContractVersion } from '../../api/types.ts'
import { Section } from '../../ui/facts.tsx'
import { PartMissing, Skeleton } from '../../ui/states.tsx'
import { useContractVersion } from './queries.ts'
import { printSorted } from './schema-text.ts'

export function Compare({ contract, before, after }: { contract: string; before: number; after: number }) {
  const [left, right] = [useContractVersion(contract, before), useContractVersion(contract, after)]
  if (left.isPending || right.isPending) return <Skeleton label="Reading both versions" />
  if (!left.data || !right.data) return <PartMissing what="One of the versions" error={left.error ?? right.error} again={() => void Promise.all([left.refetch(), right.refetch()])} />
  return (
    <>
      <Part title="Schema" before={printSorted(left.data.schema)} after={printSorted(right.data.schema)} />
      <Part title="Rules, tags and properties" before={printRest(left.data)} after={printRest(right.data)} />
    </>
  )
}

function printRest({ rule_set, tags, properties }: ContractVersion): string {
  return JSON.stringify({ rule_set, tags, properties }, null, 2)
}

/** Schemas may have a mebibyte; a comparison that takes longer is given up. */
const COMPARE_MS = 2_000

function Part({ title, before, after }: { title: string; before: string; after: string }) {
  const pieces = before === after ? [] : diffLines(before, after, { timeout: COMPARE_MS })
  if (pieces === undefined) return <Section title={title}><p className="muted">The two differ too much to be compared here.</p></Section>
  if (pieces.length === 0) return <Section title={title}><p className="muted">The same in both.</p></Section>
  return (
    <Section title={title}>
      {/* Scrollable, so the keyboard must be able to reach it. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0} className="line-diff" aria-label={`${title}: lines removed and added`}>
        {pieces.map((piece, at) => <Lines key={at} text={piece.value} sign={piece.added ? '+' : piece.removed ? '-' : ' '} />)}
      </pre>
    </Section>
  )
}

function Lines({ text, sign }: { text: string; sign: '+' | '-' | ' ' }) {
  const lines = text.replace(/\n$/, '').split('\n').map((line) => `${sign} ${line}\n`).join('')
  if (sign === '+') return <ins>{lines}</ins>
  return sign === '-' ? <del>{lines}</del> : lines
}
