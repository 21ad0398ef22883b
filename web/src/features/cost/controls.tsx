// What the report is about: measure, time, steps, dimensions. All of it stands in the address.
import { useSetAddress } from '../../app/search.ts'
import { useReach } from '../../app/session.tsx'
import { useTenantInView } from '../../app/tenant.tsx'
import { words } from '../../ui/format.ts'
import { GRANULARITIES, RANGES, type View } from './range.ts'
import { GROUPS, type Group, type Measure } from './report.ts'

const MEASURES: readonly { key: Measure; label: string }[] = [
  { key: 'cost', label: 'Cost' },
  { key: 'bytes', label: 'Bytes' },
  { key: 'records', label: 'Records' },
  { key: 'requests', label: 'Requests' },
]

export function Controls({ view }: { view: View }) {
  const set = useSetAddress()
  const groups = useGroups()
  const toggle = (group: Group) => {
    const next = view.groups.includes(group) ? view.groups.filter((g) => g !== group) : [...view.groups, group]
    // `none` says "not grouped" in the address, where an empty value would mean the usual grouping.
    set({ group_by: next.length === 0 ? 'none' : next.join(',') })
  }
  return (
    <div className="controls" role="group" aria-label="What the report shows">
      <fieldset className="chips">
        <legend className="hidden-visually">Measure</legend>
        {MEASURES.map((m) => (
          <button key={m.key} type="button" aria-pressed={view.measure === m.key} onClick={() => set({ measure: m.key })}>{m.label}</button>
        ))}
      </fieldset>
      <select aria-label="Time" value={view.range} onChange={(event) => set({ range: event.target.value, granularity: undefined })}>
        {RANGES.map((r) => <option key={r.key} value={r.key}>{r.label}</option>)}
      </select>
      <select aria-label="Steps" value={view.granularity} onChange={(event) => set({ granularity: event.target.value })}>
        {GRANULARITIES.map((g) => <option key={g.key} value={g.key}>{g.label}</option>)}
      </select>
      <fieldset className="chips">
        <legend>Group by</legend>
        {groups.map((g) => (
          <button key={g} type="button" aria-pressed={view.groups.includes(g)} onClick={() => toggle(g)}>{words(g)}</button>
        ))}
      </fieldset>
    </div>
  )
}

/** Dimensions above a tenant are of use only to those who see several. */
function useGroups(): readonly Group[] {
  const reach = useReach()
  const one = useTenantInView() !== undefined
  const hidden: Group[] = one ? ['organization', 'tenant'] : reach === 'operator' ? [] : ['organization']
  return GROUPS.filter((g) => !hidden.includes(g))
}
