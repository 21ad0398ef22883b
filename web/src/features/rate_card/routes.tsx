// Rate cards: what usage costs, from when, for whom.
import { useParams } from '@tanstack/react-router'
import type { RateCard } from '../../api/types.ts'
import { kindNamed } from '../../app/kinds.ts'
import { useDialogInAddress } from '../../app/search.ts'
import { useReach } from '../../app/session.tsx'
import { Button } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Crumb, Crumbs } from '../../ui/crumbs.tsx'
import { Facts, Section } from '../../ui/facts.tsx'
import { formatMoney } from '../../ui/format.ts'
import { Collection, PageHead } from '../../ui/list-page.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { ObjectPage } from '../../ui/object-page.tsx'
import { Moment } from '../../ui/status.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { useCardFields } from './forms.tsx'
import { meterLabel, MODELS, unitWord, type Price } from './prices.ts'
import { useRateCard, useRateCards } from './queries.ts'

const KIND = kindNamed('RateCard')!

function useAudience(): (card: RateCard) => string {
  const reach = useReach()
  const organization = useNames('/v1/organizations')
  const tenant = useNames('/v1/tenants', { enabled: reach !== 'tenant' })
  return ({ spec }) => {
    if (spec.tenant) return `tenant ${tenant(spec.tenant) ?? 'in view'}`
    return spec.organization ? `organization ${organization(spec.organization) ?? 'of this tenant'}` : 'everybody'
  }
}

export function RateCardsPage() {
  const create = useDialogInAddress('create')
  const operator = useReach() === 'operator'
  const fields = useCardFields()
  const audience = useAudience()
  const button = operator && <Button tone="primary" icon="plus" onClick={create.show}>Create rate card</Button>
  const columns: Column<RateCard>[] = [
    { key: 'name', label: 'Name', cell: (c) => <ObjectLink id={c.id} name={c.spec.name} />, sort: (c) => c.spec.name },
    { key: 'audience', label: 'For', cell: audience, sort: audience },
    { key: 'currency', label: 'Currency', cell: (c) => c.spec.currency },
    { key: 'from', label: 'In force from', cell: (c) => <Moment at={c.spec.effective_from} precision="minute" />, sort: (c) => c.spec.effective_from },
    { key: 'prices', label: 'Meters priced', align: 'right', cell: (c) => c.spec.prices.length, sort: (c) => c.spec.prices.length },
  ]
  return (
    <>
      <PageHead title="Rate cards" intro="What usage costs. A card holds from its hour until the next one for the same audience." actions={button} />
      <Collection
        list={useRateCards()} caption="Rate cards" columns={columns} noun={['rate card', 'rate cards']} text={(c) => `${c.spec.name} ${c.spec.currency} ${c.id}`}
        empty={{ title: 'No rate cards', text: 'Without a card usage is counted but not charged.', action: button }}
      />
      <ChangeDialog open={create.open} title="Create a rate card" act="Create rate card" fields={fields} call={() => ({ method: 'post', path: '/v1/rate-cards' })} onClose={create.close} onDone={() => undefined} />
    </>
  )
}

const priceColumns = (currency: string): readonly Column<Price>[] => [
  { key: 'meter', label: 'Meter', cell: (p) => meterLabel(p.meter) },
  { key: 'unit', label: 'Unit', cell: (p) => unitWord(p.unit) },
  { key: 'model', label: 'Model', cell: (p) => MODELS.find((m) => m.model === p.model)?.label ?? p.model },
  { key: 'tiers', label: 'Price of a unit', align: 'right', cell: (p) => <Tiers price={p} currency={currency} /> },
]

function Tiers({ price, currency }: { price: Price; currency: string }) {
  const money = (amount: string) => formatMoney(amount, currency)
  return (
    <span className="lines tabular">
      {price.tiers.map((t) => (t.up_to ? `up to ${t.up_to}: ${money(t.unit_price)}` : price.tiers.length > 1 ? `beyond: ${money(t.unit_price)}` : money(t.unit_price))).join('\n')}
    </span>
  )
}

export function RateCardPage() {
  const { id } = useParams({ strict: false })
  const operator = useReach() === 'operator'
  const fields = useCardFields()
  const audience = useAudience()
  return (
    <ObjectPage
      kind={KIND} query={useRateCard(id)} fields={operator ? fields : undefined} deletes={operator ? 'Usage in its time is priced by the card before it, if there is one.' : undefined}
      crumbs={() => <Crumbs><Crumb to="/rate-cards">Rate cards</Crumb></Crumbs>}
    >
      {(card) => (
        <>
          <Facts items={[
            ['For', audience(card)],
            ['Currency', card.spec.currency],
            ['In force from', <Moment key="f" at={card.spec.effective_from} precision="minute" />],
          ]} />
          <Section title="Prices" note="A meter that no card in force prices is counted but not charged.">
            <Table caption="Prices" rows={card.spec.prices} columns={priceColumns(card.spec.currency)} id={(p) => p.meter} still />
          </Section>
        </>
      )}
    </ObjectPage>
  )
}
