// What the topics of a share promise, and how that is kept, for both of its sides.
import { Section } from '../../ui/facts.tsx'
import { LevelList } from '../service_level/levels.tsx'
import { useShareLevels } from './queries.ts'

/** Nothing where nothing is promised. `alias`: of this topic alone. */
export function SharedLevels({ id, received, alias }: { id: string; received: boolean; alias?: string }) {
  const { data } = useShareLevels(id, received)
  const promising = data?.topics.filter((t) => t.levels.length > 0 && (alias === undefined || t.alias === alias)) ?? []
  return promising.map((topic) => (
    <Section key={topic.alias} title={promising.length > 1 ? `Service levels of ${topic.alias}` : 'Service levels'} note={`Promised by the topic’s contract${received ? ', and measured at its provider' : '; who receives the share sees the same'}.`}>
      <LevelList levels={topic.levels} />
    </Section>
  ))
}
