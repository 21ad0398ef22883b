// Whose a contract is, who may see it, what its stream promises.
import { useId } from 'react'
import { parsePairs } from '../../ui/form/parse.ts'
import { words } from '../../ui/format.ts'
import type { Draft } from './draft.ts'
import { CLASSIFICATIONS, LEVELS, levelError, LIFECYCLES, UNIT_WORDS, type About, type Level } from './properties.ts'

interface PartProps {
  draft: Draft
  put: (change: Partial<Draft>) => void
}

export function AboutEditor({ draft, put }: PartProps) {
  const id = useId()
  const about = (change: Partial<About>) => put({ about: { ...draft.about, ...change } })
  const pairs = parsePairs(draft.others)
  return (
    <div className="form-grid">
      <div className="field">
        <label htmlFor={`${id}-owner`}>Owner <span className="optional">optional</span></label>
        <input id={`${id}-owner`} type="text" value={draft.about.owner} onChange={(event) => about({ owner: event.target.value })} autoComplete="off" />
      </div>
      <Choice id={`${id}-lifecycle`} label="Lifecycle" value={draft.about.lifecycle} options={LIFECYCLES} onChange={(lifecycle) => about({ lifecycle })} />
      <Choice id={`${id}-classification`} label="Classification" value={draft.about.classification} options={CLASSIFICATIONS} onChange={(classification) => about({ classification })} />
      <div className="field wide">
        <label htmlFor={`${id}-description`}>Description <span className="optional">optional</span></label>
        <input id={`${id}-description`} type="text" value={draft.about.description} onChange={(event) => about({ description: event.target.value })} autoComplete="off" />
      </div>
      <div className={`field wide ${pairs.ok ? '' : 'wrong'}`}>
        <label htmlFor={`${id}-others`}>Further properties <span className="optional">optional</span></label>
        <textarea id={`${id}-others`} className="mono" rows={2} value={draft.others} onChange={(event) => put({ others: event.target.value })} spellCheck={false} aria-invalid={!pairs.ok || undefined} aria-describedby={`${id}-others-hint`} />
        <p className={pairs.ok ? 'hint' : 'field-error'} id={`${id}-others-hint`}>{pairs.ok ? 'One name=value a line.' : pairs.error}</p>
      </div>
    </div>
  )
}

function Choice({ id, label, value, options, onChange }: { id: string; label: string; value: string; options: readonly string[]; onChange: (value: string) => void }) {
  return (
    <div className="field">
      <label htmlFor={id}>{label} <span className="optional">optional</span></label>
      <select id={id} value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">Not said</option>
        {options.map((option) => <option key={option} value={option}>{words(option)}</option>)}
      </select>
    </div>
  )
}

export function LevelsEditor({ draft, put }: PartProps) {
  return (
    <div className="form-grid">
      {LEVELS.map((level) => (
        <LevelField
          key={level.name} label={level.label} means={level.means} units={level.units} level={draft.levels[level.name]} error={levelError(level.name, draft.levels[level.name])}
          onChange={(next) => put({ levels: { ...draft.levels, [level.name]: next } })}
        />
      ))}
    </div>
  )
}

interface LevelFieldProps {
  label: string
  means: string
  units: readonly string[]
  level: Level
  error: string | undefined
  onChange: (level: Level) => void
}

function LevelField({ label, means, units, level, error, onChange }: LevelFieldProps) {
  const id = useId()
  return (
    <div className={`field ${error ? 'wrong' : ''}`}>
      <label htmlFor={id}>{label} <span className="optional">optional</span></label>
      <span className="level-value">
        <input id={id} type="text" inputMode="decimal" className="tabular" value={level.value} onChange={(event) => onChange({ ...level, value: event.target.value })} autoComplete="off" aria-invalid={error ? true : undefined} aria-describedby={`${id}-hint`} />
        {units.length === 1 ? <span>{UNIT_WORDS[units[0]!]}</span> : (
          <select aria-label={`Unit of ${label.toLowerCase()}`} value={level.unit} onChange={(event) => onChange({ ...level, unit: event.target.value })}>
            {units.map((unit) => <option key={unit} value={unit}>{UNIT_WORDS[unit]}</option>)}
          </select>
        )}
      </span>
      <p className={error ? 'field-error' : 'hint'} id={`${id}-hint`}>{error ?? means}</p>
    </div>
  )
}
