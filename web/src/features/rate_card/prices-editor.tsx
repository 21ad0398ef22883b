// Edits the prices of a rate card: a meter is charged when it has a price; tiers can be added.
import { Button, IconButton } from '../../ui/button.tsx'
import { METERS, MODELS, readPrices, unitWord, type Meter, type Price } from './prices.ts'

interface PricesEditorProps {
  id: string
  text: string
  onChange: (text: string) => void
}

export function PricesEditor({ id, text, onChange }: PricesEditorProps) {
  const prices = readPrices(text)
  const put = (next: Price[]) => onChange(next.length === 0 ? '' : JSON.stringify(next))
  const set = (meter: Meter, price: Price | undefined) => {
    const order = METERS.map((m) => m.meter)
    const rest = prices.filter((p) => p.meter !== meter)
    put((price ? [...rest, price] : rest).sort((a, b) => order.indexOf(a.meter) - order.indexOf(b.meter)))
  }
  return (
    <div className="prices" id={id} role="group" aria-label="Prices" tabIndex={-1}>
      {METERS.map(({ meter, label, units }) => {
        const price = prices.find((p) => p.meter === meter)
        return (
          <fieldset key={meter} className={price ? 'price' : undefined}>
            <legend>
              <label className="check">
                <input type="checkbox" checked={!!price} onChange={(event) => set(meter, event.target.checked ? { meter, unit: units[0]!, model: 'PER_UNIT', tiers: [{ unit_price: '' }] } : undefined)} />
                {label}
              </label>
            </legend>
            {price && <PriceRow price={price} units={units} label={label} onChange={(next) => set(meter, next)} />}
          </fieldset>
        )
      })}
    </div>
  )
}

function PriceRow({ price, units, label, onChange }: { price: Price; units: readonly Price['unit'][]; label: string; onChange: (price: Price) => void }) {
  const tiers = price.tiers
  const setTier = (index: number, tier: Partial<Price['tiers'][number]>) => onChange({ ...price, tiers: tiers.map((t, i) => (i === index ? { ...t, ...tier } : t)) })
  const tiered = price.model === 'GRADUATED' || price.model === 'VOLUME'
  return (
    <>
      <div className="price-line">
        <select aria-label={`${label}: unit`} value={price.unit} onChange={(event) => onChange({ ...price, unit: event.target.value as Price['unit'] })}>
          {units.map((u) => <option key={u} value={u}>per {unitWord(u)}</option>)}
        </select>
        <select aria-label={`${label}: model`} value={price.model} onChange={(event) => onChange({ ...price, model: event.target.value as Price['model'] })}>
          {MODELS.map((m) => <option key={m.model} value={m.model}>{m.label}</option>)}
        </select>
      </div>
      {tiers.map((tier, index) => {
        const last = index === tiers.length - 1
        return (
          <div className="price-line" key={index}>
            <input className="tabular" inputMode="decimal" placeholder="0.05" aria-label={`${label}: price of tier ${index + 1}`} value={tier.unit_price} onChange={(event) => setTier(index, { unit_price: event.target.value.trim() })} />
            {last
              ? <span className="muted">{tiers.length > 1 ? 'beyond' : ''}</span>
              : <input className="tabular" inputMode="decimal" placeholder="up to" aria-label={`${label}: end of tier ${index + 1}`} value={tier.up_to ?? ''} onChange={(event) => setTier(index, { up_to: event.target.value.trim() })} />}
            {tiers.length > 1 && <IconButton icon="close" label={`${label}: remove tier ${index + 1}`} onClick={() => onChange({ ...price, tiers: withoutTier(tiers, index) })} />}
          </div>
        )
      })}
      {(tiered || tiers.length > 1 || price.model === 'PACKAGE') && (
        <Button tone="quiet" icon="plus" onClick={() => onChange({ ...price, tiers: [...tiers.slice(0, -1), { ...tiers.at(-1)!, up_to: '' }, { unit_price: '' }] })}>Add tier</Button>
      )}
    </>
  )
}

/** The last tier stays open whatever is removed. */
function withoutTier(tiers: Price['tiers'], index: number): Price['tiers'] {
  const rest = tiers.filter((_, i) => i !== index)
  return rest.map((t, i) => (i === rest.length - 1 ? { unit_price: t.unit_price } : t))
}
