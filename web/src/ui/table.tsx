// The table of the console: sortable columns on a wide screen, cards on a narrow one. New rows do not push the others
// away under the pointer: they are announced and join when asked.
import { useState, type ReactNode } from 'react'
import { isOwn } from '../api/own.ts'
import { Button } from './button.tsx'
import { plural } from './format.ts'
import { useNarrow } from './media.ts'
import { heldBack, sortRows, type Sort, type SortValue } from './table-rows.ts'

export interface Column<T> {
  key: string
  label: string
  cell: (row: T) => ReactNode
  sort?: (row: T) => SortValue
  align?: 'right'
  /** The label is for screen readers only: buttons speak for themselves. */
  unlabelled?: boolean
  /** Title of the card on a narrow screen; the first column if none says so. */
  title?: boolean
  /** Left out on a narrow screen, since it repeats what is elsewhere. */
  wideOnly?: boolean
}

interface TableProps<T> {
  caption: string
  rows: readonly T[]
  columns: readonly Column<T>[]
  id: (row: T) => string
  /** Another filter or page: rows of it are not "new". */
  resetKey?: string
  footer?: ReactNode
  /** Rows join at once (reports, not live lists). */
  still?: boolean
}

export function Table<T>({ rows, resetKey = '', still = false, ...rest }: TableProps<T>) {
  const [sort, setSort] = useState<Sort | undefined>(undefined)
  const settled = useSettled(rows, rest.id, resetKey)
  const shown = still ? [...rows] : settled.shown
  const waiting = still ? 0 : settled.waiting
  const narrow = useNarrow()
  const column = rest.columns.find((c) => c.key === sort?.key)
  const sorted = sortRows(shown, column?.sort, sort?.descending ?? false)
  return (
    <div className="table-frame">
      {waiting > 0 && (
        <div className="new-rows" role="status">
          <Button tone="quiet" onClick={settled.join}>Show {plural(waiting, 'new row')}</Button>
        </div>
      )}
      {narrow ? <Cards {...rest} rows={sorted} /> : <Grid {...rest} rows={sorted} sort={sort} onSort={setSort} />}
    </div>
  )
}

/** A list that grew by its reader's own act (a form just closed, more rows asked for) shows the rows at once. */
function useSettled<T>(rows: readonly T[], id: (row: T) => string, resetKey: string) {
  const everything = () => new Set(rows.map(id))
  const [known, setKnown] = useState(() => ({ key: resetKey, ids: everything() }))
  if (known.key !== resetKey) setKnown({ key: resetKey, ids: everything() })
  const { shown, waiting } = heldBack(rows, id, (one) => known.ids.has(one) || isOwn(one))
  const fewToBegin = shown.length === 0 && waiting.length > 0
  if (fewToBegin) setKnown({ key: resetKey, ids: everything() })
  return { shown: fewToBegin ? [...rows] : shown, waiting: fewToBegin ? 0 : waiting.length, join: () => setKnown({ key: resetKey, ids: everything() }) }
}

type InnerProps<T> = Omit<TableProps<T>, 'resetKey'>

function Grid<T>({ caption, rows, columns, id, footer, sort, onSort }: InnerProps<T> & { sort?: Sort; onSort: (sort: Sort | undefined) => void }) {
  const turn = (key: string) =>
    onSort(sort?.key !== key ? { key, descending: false } : sort.descending ? undefined : { key, descending: true })
  return (
    <table className="table">
      <caption className="hidden-visually">{caption}</caption>
      <thead>
        <tr>
          {columns.map((c) => {
            const direction = sort?.key === c.key ? (sort.descending ? 'descending' : 'ascending') : undefined
            return (
              <th key={c.key} scope="col" className={c.align} aria-sort={direction}>
                {c.sort ? (
                  <button type="button" className="sort" onClick={() => turn(c.key)}>
                    {c.label}
                    <span aria-hidden="true">{direction === 'ascending' ? ' ↑' : direction === 'descending' ? ' ↓' : ''}</span>
                  </button>
                ) : <span className={c.unlabelled ? 'hidden-visually' : undefined}>{c.label}</span>}
              </th>
            )
          })}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={id(row)} data-row={id(row)}>
            {columns.map((c) => <td key={c.key} className={c.align}>{c.cell(row)}</td>)}
          </tr>
        ))}
      </tbody>
      {footer && <tfoot>{footer}</tfoot>}
    </table>
  )
}

function Cards<T>({ caption, rows, columns, id, footer }: InnerProps<T>) {
  const title = columns.find((c) => c.title) ?? columns[0]
  const others = columns.filter((c) => c !== title && !c.wideOnly)
  return (
    <>
      <ul className="cards" aria-label={caption}>
        {rows.map((row) => (
          <li key={id(row)} data-row={id(row)}>
            <div className="card-title">{title?.cell(row)}</div>
            <dl>
              {others.map((c) => (
                <div key={c.key}>
                  <dt className={c.unlabelled ? 'hidden-visually' : undefined}>{c.label}</dt>
                  <dd>{c.cell(row)}</dd>
                </div>
              ))}
            </dl>
          </li>
        ))}
      </ul>
      {footer && <table className="table foot-only"><tfoot>{footer}</tfoot></table>}
    </>
  )
}
