// Where a group stands, in one word and colour.
import { words } from '../../ui/format.ts'

const TONES: Record<string, string> = { STABLE: 'good', EMPTY: 'off', REBALANCING: 'busy', DEAD: 'bad' }

export function GroupState({ state }: { state: string }) {
  return <span className={`tag ${TONES[state] ?? 'off'}`}>{words(state)}</span>
}
