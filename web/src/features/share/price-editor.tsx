// What the recipient pays: by what is read, by the month, or both.
import type { CustomProps } from '../../ui/form/fields.ts'
import type { Fault } from '../../ui/form/parse.ts'
import { Faults } from '../job/faults.tsx'
import { printPrice, readPrice, type PriceDraft } from './draft.ts'

const PARTS: readonly { at: keyof PriceDraft; label: string; placeholder: string }[] = [
  { at: 'per_gib', label: 'Per GiB read', placeholder: '0.20' },
  { at: 'per_month', label: 'Per month', placeholder: '10' },
  { at: 'currency', label: 'Currency', placeholder: 'EUR' },
]

export function PriceEditor({ id, text, faults, onChange }: CustomProps) {
  const draft = readPrice(text)
  const of = (at: string): readonly Fault[] => faults.filter((fault) => fault.at === at)
  return (
    <div id={id} role="group" aria-label="Price" tabIndex={-1}>
      <div className="share-price">
        {PARTS.map(({ at, label, placeholder }) => {
          const found = of(at)
          return (
            <div key={at}>
              <label className="program-line">
                <span>{label}</span>
                <input type="text" inputMode={at === 'currency' ? 'text' : 'decimal'} className={`tabular ${found.length > 0 ? 'wrong' : ''}`} placeholder={placeholder} autoComplete="off" spellCheck={false} aria-invalid={found.length > 0 || undefined} aria-describedby={found.length > 0 ? `${id}-${at}` : undefined} value={draft[at]} onChange={(event) => onChange(printPrice({ ...draft, [at]: event.target.value }), faults.filter((fault) => fault.at !== at))} />
              </label>
              <Faults id={`${id}-${at}`} faults={found} />
            </div>
          )
        })}
      </div>
      <Faults faults={faults.filter(({ at }) => !PARTS.some((part) => part.at === at))} />
    </div>
  )
}
