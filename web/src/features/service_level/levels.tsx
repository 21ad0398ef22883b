// What a topic's contract promises of its stream, what is measured, and how much of the budget is left.
import { Link } from '@tanstack/react-router'
import type { Search } from '../../app/search.ts'
import { Facts, Section } from '../../ui/facts.tsx'
import { formatDuration, words } from '../../ui/format.ts'
import { PartMissing, Skeleton } from '../../ui/states.tsx'
import { Age, Phase } from '../../ui/status.tsx'
import { amountText, budgetText, objectiveText } from './level.ts'
import { useServiceLevels, type Budget, type ServiceLevel } from './queries.ts'

const MEANS: Record<string, string> = {
  freshness: 'How old the newest record is that a gateway took.',
  completeness: 'How many records of the last hour were as promised.',
  availability: 'How much of the time the topic could be used.',
}

export function ServiceLevels({ topic }: { topic: string }) {
  const query = useServiceLevels(topic)
  return (
    <Section title="Service levels" note="Measured once a minute from counts and times alone. A minute that nobody reported on is neither good nor bad.">
      {query.isPending && <Skeleton lines={3} label="Reading what was measured" />}
      {query.error && <PartMissing what="What was measured" error={query.error} again={() => void query.refetch()} />}
      {query.data?.levels.length === 0 && <p className="muted">None promised: a version of its contract can say how fresh, complete and available the stream is.</p>}
      {query.data && query.data.levels.length > 0 && <LevelList levels={query.data.levels} />}
    </Section>
  )
}

/** Also those of another tenant's topic, of whose contract nothing is shown. */
export const LevelList = ({ levels }: { levels: readonly ServiceLevel[] }) => <ul className="levels">{levels.map((level) => <li key={level.name}><Level level={level} /></li>)}</ul>

function Level({ level }: { level: ServiceLevel }) {
  const whyNot = level.message ?? (level.reason ? words(level.reason) : undefined)
  return (
    <>
      <div className="level-head">
        <h3>{words(level.name)}</h3>
        <Phase phase={level.state} title={level.message ?? level.reason ?? undefined} />
      </div>
      {MEANS[level.name] && <p className="muted">{MEANS[level.name]}</p>}
      <Facts items={[
        ['Promised', objectiveText(level)],
        ['Measured', level.measured ? amountText(level.measured) : <span key="m" className="muted">unknown</span>],
        level.contract_id !== undefined && ['By', <Link key="b" to="/contracts/$id" params={{ id: level.contract_id }} search={(old: Search) => ({ tenant: old.tenant, tab: 'versions', version: String(level.version) })}>version {level.version}</Link>],
        ['Looked at', <Age key="a" at={level.measured_at} />],
        whyNot !== undefined && ['Why', whyNot],
      ]} />
      {level.budget && <BudgetBar budget={level.budget} target={level.target_percent} />}
    </>
  )
}

function BudgetBar({ budget, target }: { budget: Budget; target: number | null | undefined }) {
  const { left, words: text, spent } = budgetText(budget)
  const unknown = budget.unknown_minutes ?? 0
  return (
    <div className="budget">
      <svg className={spent || left < 0.1 ? 'low' : undefined} viewBox="0 0 100 1" preserveAspectRatio="none" role="img" aria-label={`Error budget: ${Math.floor(left * 100)} % left`}>
        <rect className="ground" width="100" height="1" />
        <rect className="left" width={left * 100} height="1" />
      </svg>
      <p className="tabular">{text}</p>
      {(typeof target === 'number' || unknown > 0) && (
        <p className="muted tabular">{typeof target === 'number' && `${target} % of the minutes that are known have to be good. `}{unknown > 0 && `${formatDuration(Math.round(unknown) * 60_000)} are not known.`}</p>
      )}
    </div>
  )
}
