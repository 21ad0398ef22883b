// Places lent on one data plane, on its page.
import { useAll } from '../../api/hooks.ts'
import { LinkButton } from '../../ui/button.tsx'
import { Section } from '../../ui/facts.tsx'
import { GrantTable } from './grant-table.tsx'
import { useGrants } from './queries.ts'

export function GrantsOfDataPlane({ dataPlane }: { dataPlane: string }) {
  const offered = useGrants('offered')
  const pools = useAll('/v1/broker-pools').data ?? []
  const mine = new Set(pools.filter((p) => p.spec.data_plane === dataPlane).map((p) => p.id))
  const button = <LinkButton to="/grants" search={{ do: 'create' }} icon="plus">Offer a place</LinkButton>
  return (
    <Section title="Places lent" actions={button}>
      <GrantTable list={{ ...offered, rows: offered.rows?.filter((g) => mine.has(g.spec.broker_pool)) }} direction="offered" />
    </Section>
  )
}
