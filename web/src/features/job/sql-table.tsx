// The parts of a table of a program in SQL: its topic, its columns, its time, its key.
import { useId, type ReactNode } from 'react'
import { Button, IconButton } from '../../ui/button.tsx'
import type { Fault } from '../../ui/form/parse.ts'
import { Faults } from './faults.tsx'
import { tableFaults, TYPES, without, withTopic, type SinkDraft, type SourceDraft, type SqlDraft, type TableDraft, type TopicChoice } from './sql.ts'

interface TableProps<T extends TableDraft> {
  at: string
  legend: string
  table: T
  draft: SqlDraft
  faults: readonly Fault[]
  topics: readonly TopicChoice[]
  onChange: (table: T, left?: readonly Fault[]) => void
  onRemove: (() => void) | undefined
}

export function SourceFields(props: TableProps<SourceDraft>) {
  const { at, table, faults, onChange } = props
  const put = (part: Partial<SourceDraft>) => onChange({ ...table, ...part })
  return (
    <TableFields {...props} does="Reads">
      <TimeFields at={`${at}/event_time`} table={table} faults={faults} onChange={put} />
      <div className="program-pair">
        <Line label="Begins with" at={`${at}/start`} faults={faults}>
          {(control) => (
            <select {...control} value={table.start} onChange={(event) => put({ start: event.target.value as SourceDraft['start'] })}>
              <option value="EARLIEST">the oldest record that is left</option>
              <option value="LATEST">the first record after its start</option>
            </select>
          )}
        </Line>
        <Line label="Column of the key" optional at={`${at}/key`} faults={faults} hint="It takes the record's key as text">
          {(control) => <input {...control} type="text" spellCheck={false} autoComplete="off" value={table.key} onChange={(event) => put({ key: event.target.value })} />}
        </Line>
      </div>
    </TableFields>
  )
}

function TimeFields({ at, table, faults, onChange }: Pick<TableProps<SourceDraft>, 'at' | 'table' | 'faults'> & { onChange: (part: Partial<SourceDraft>) => void }) {
  return (
    <>
      <div className="program-pair">
        <Line label="Event time" at={at} faults={faults} hint={TIME_HINTS[table.time]}>
          {(control) => (
            <select {...control} value={table.time} onChange={(event) => onChange({ time: event.target.value as SourceDraft['time'] })}>
              <option value="NONE">none</option>
              <option value="COLUMN">a column</option>
              <option value="RECORD">the record&apos;s own time</option>
            </select>
          )}
        </Line>
        {table.time !== 'NONE' && (
          <Line label="Late records still count within" at={`${at}/delay_ms`} faults={faults} hint="Such as 5 s or 15 min">
            {(control) => <input {...control} type="text" autoComplete="off" value={table.delay} onChange={(event) => onChange({ delay: event.target.value })} />}
          </Line>
        )}
      </div>
      {table.time === 'COLUMN' && (
        <div className="program-pair">
          <Line label="Column of the time" at={`${at}/column`} faults={faults}>
            {(control) => <input {...control} type="text" spellCheck={false} autoComplete="off" value={table.column} onChange={(event) => onChange({ column: event.target.value })} />}
          </Line>
          <Line label="Whole numbers count" at={`${at}/unit`} faults={faults}>
            {(control) => (
              <select {...control} value={table.unit} onChange={(event) => onChange({ unit: event.target.value as SourceDraft['unit'] })}>
                <option value="MILLISECONDS">milliseconds since 1970</option>
                <option value="SECONDS">seconds since 1970</option>
              </select>
            )}
          </Line>
        </div>
      )}
    </>
  )
}

const TIME_HINTS: Record<SourceDraft['time'], string> = {
  NONE: 'Windows of time need one.',
  COLUMN: 'A time, or whole numbers; these are seen as the column event_time.',
  RECORD: 'It is seen as the column event_time.',
}

export function SinkFields(props: TableProps<SinkDraft>) {
  const { at, table, faults, onChange } = props
  const put = (part: Partial<SinkDraft>) => onChange({ ...table, ...part })
  return (
    <TableFields {...props} does="Writes">
      <div className="program-pair">
        <Line label="Rows that change" at={`${at}/mode`} faults={faults}>
          {(control) => (
            <select {...control} value={table.mode} onChange={(event) => put({ mode: event.target.value as SinkDraft['mode'] })}>
              <option value="APPEND">none: records are added</option>
              <option value="UPSERT">replace the record of their key</option>
            </select>
          )}
        </Line>
        <Line label="Columns of the key" optional={table.mode === 'APPEND'} at={`${at}/key`} faults={faults} hint="Names with commas between them">
          {(control) => <input {...control} type="text" spellCheck={false} autoComplete="off" value={table.key} onChange={(event) => put({ key: event.target.value })} />}
        </Line>
      </div>
    </TableFields>
  )
}

function TableFields<T extends TableDraft>({ at, legend, table, draft, faults, topics, does, onChange, onRemove, children }: TableProps<T> & { does: string; children: ReactNode }) {
  const find = (id: string) => topics.find((it) => it.id === id)
  return (
    <fieldset className="program-sink">
      <legend>{legend}</legend>
      <Faults faults={tableFaults(faults, at)} />
      <div className="program-pair">
        <Line label={does} at={`${at}/topic`} faults={faults}>
          {(control) => (
            <select {...control} value={table.topic} onChange={(event) => onChange(withTopic(table, find(table.topic), find(event.target.value), draft))}>
              <option value="">Choose a topic…</option>
              {topics.map((topic) => <option key={topic.id} value={topic.id}>{topic.label}</option>)}
            </select>
          )}
        </Line>
        <Line label="As the table" at={`${at}/name`} faults={faults}>
          {(control) => <input {...control} type="text" spellCheck={false} autoComplete="off" placeholder="after the topic" value={table.name} onChange={(event) => onChange({ ...table, name: event.target.value })} />}
        </Line>
      </div>
      <Columns at={at} table={table} topic={find(table.topic)} faults={faults} onChange={onChange} />
      {children}
      {onRemove && <Button onClick={onRemove}>Remove {legend.toLowerCase()}</Button>}
    </fieldset>
  )
}

function Columns<T extends TableDraft>({ at, table, topic, faults, onChange }: Pick<TableProps<T>, 'at' | 'table' | 'faults' | 'onChange'> & { topic: TopicChoice | undefined }) {
  const types = useId()
  const { columns, promised } = table
  const put = (next: TableDraft['columns'], left?: readonly Fault[]) => onChange({ ...table, columns: next }, left)
  const set = (row: number, part: Partial<TableDraft['columns'][number]>) => put(columns.map((it, index) => (index === row ? { ...it, ...part } : it)))
  const poor = promised && topic && !topic.promises
  return (
    <>
      <Line label="Columns" at={`${at}/columns`} faults={faults} hint={poor ? 'This topic has no contract whose records may come without a schema id: write the columns.' : undefined}>
        {(control) => (
          <select {...control} value={promised ? 'promised' : 'written'} onChange={(event) => onChange({ ...table, promised: event.target.value === 'promised' })}>
            <option value="promised">as the topic&apos;s contract says</option>
            <option value="written">written here</option>
          </select>
        )}
      </Line>
      {!promised && (
        <>
          <ul className="program-columns">
            {columns.map((column, row) => (
              <ColumnRow
                key={row} number={row + 1} at={`${at}/columns/${row}`} column={column} types={types} faults={faults} onChange={(part) => set(row, part)}
                onRemove={() => put(columns.filter((_, index) => index !== row), without(faults, `${at}/columns`, row))}
              />
            ))}
          </ul>
          <datalist id={types}>{TYPES.map((type) => <option key={type} value={type} />)}</datalist>
          <Button icon="plus" onClick={() => put([...columns, { name: '', type: '' }])}>Add column</Button>
        </>
      )}
    </>
  )
}

interface ColumnRowProps {
  number: number
  at: string
  column: TableDraft['columns'][number]
  /** Id of the list of types. */
  types: string
  faults: readonly Fault[]
  onChange: (part: Partial<TableDraft['columns'][number]>) => void
  onRemove: () => void
}

function ColumnRow({ number, at, column, types, faults, onChange, onRemove }: ColumnRowProps) {
  const id = useId()
  const wrong = faults.filter((it) => it.at === `${at}/name` || it.at === `${at}/type`)
  const common = (part: 'name' | 'type') => {
    const own = wrong.some((it) => it.at === `${at}/${part}`)
    return { type: 'text', className: `mono ${own ? 'wrong' : ''}`, spellCheck: false, autoComplete: 'off', 'aria-invalid': own || undefined, 'aria-describedby': own ? id : undefined }
  }
  return (
    <li>
      <input {...common('name')} aria-label={`Name of column ${number}`} placeholder="name" value={column.name} onChange={(event) => onChange({ name: event.target.value })} />
      <input {...common('type')} aria-label={`Type of column ${number}`} placeholder="type" list={types} value={column.type} onChange={(event) => onChange({ type: event.target.value })} />
      <IconButton icon="close" label={`Remove column ${number}`} onClick={onRemove} />
      <Faults faults={wrong} id={id} />
    </li>
  )
}

interface Control {
  id: string
  'aria-invalid': true | undefined
  'aria-describedby': string | undefined
}

/** A control with its label, and what is wrong with it. */
function Line({ label, optional = false, hint, at, faults, children }: { label: string; optional?: boolean; hint?: string | undefined; at: string; faults: readonly Fault[]; children: (control: Control) => ReactNode }) {
  const id = useId()
  const wrong = faults.filter((it) => it.at === at)
  const described = [hint && `${id}-hint`, wrong.length > 0 && `${id}-error`].filter(Boolean).join(' ') || undefined
  return (
    <div className={`field program-line ${wrong.length > 0 ? 'wrong' : ''}`}>
      <label htmlFor={id}>{label}{optional && <span className="optional"> optional</span>}</label>
      {children({ id, 'aria-invalid': wrong.length > 0 || undefined, 'aria-describedby': described })}
      {hint && <p className="hint" id={`${id}-hint`}>{hint}</p>}
      <Faults faults={wrong} id={`${id}-error`} />
    </div>
  )
}
