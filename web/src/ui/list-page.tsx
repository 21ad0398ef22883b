// A collection's page in all its states: heading, filter, create, rows, more rows.
import { useEffect, type ReactNode } from 'react'
import type { Rows } from '../api/hooks.ts'
import { useAddress, useSetAddress } from '../app/search.ts'
import { Button } from './button.tsx'
import { Copyable } from './copyable.tsx'
import { formatCount, plural } from './format.ts'
import { Empty, Failure, PartMissing, Skeleton } from './states.tsx'
import { Age } from './status.tsx'
import { Table, type Column } from './table.tsx'

export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Weir`
  }, [title])
}

interface PageHeadProps {
  title: string
  intro?: ReactNode
  crumbs?: ReactNode
  actions?: ReactNode
}

export function PageHead({ title, intro, crumbs, actions }: PageHeadProps) {
  usePageTitle(title)
  return (
    <header className="page-head">
      {crumbs && <nav className="crumbs" aria-label="Where this is">{crumbs}</nav>}
      <div className="page-title">
        <h1>{title}</h1>
        {actions && <div className="actions">{actions}</div>}
      </div>
      {intro && <p className="intro">{intro}</p>}
    </header>
  )
}

interface CollectionProps<T> {
  list: Rows<T>
  caption: string
  columns: readonly Column<T>[]
  /** What the typed filter looks at. */
  text: (row: T) => string
  empty: { title: string; text: ReactNode; action?: ReactNode }
  noun: [one: string, many: string]
  /** Choices beside the typed filter. */
  filters?: ReactNode
  /** Anything chosen beside the typed filter: an empty list is then not the first-run one. */
  narrowed?: boolean
}

const FILTER_FROM_ROWS = 5

/** Rows with a filter; usable on a page of its own or as a part of another. */
export function Collection<T extends { id: string }>({ list, caption, columns, text, empty, noun, filters, narrowed }: CollectionProps<T>) {
  const q = useAddress().q ?? ''
  const setAddress = useSetAddress()
  if (list.loading) return <Skeleton label={`Reading ${noun[1]}`} />
  if (!list.rows) return <Failure error={list.error} again={list.again} />
  const wanted = q.trim().toLowerCase()
  const found = wanted === '' ? list.rows : list.rows.filter((row) => text(row).toLowerCase().includes(wanted))
  const nothing = list.rows.length === 0 && !narrowed
  // A handful of rows is seen at a glance; a filter over them would only be noise.
  const searchable = list.rows.length >= FILTER_FROM_ROWS || wanted !== '' || list.more
  return (
    <>
      {list.error && <Stale since={list.updatedAt} error={list.error} again={list.again} />}
      {!nothing && (searchable || filters) && (
        <div className="toolbar">
          {searchable && <input type="search" className="filter" aria-label={`Filter ${noun[1]}`} placeholder={`Filter ${noun[1]}`} value={q} onChange={(event) => setAddress({ q: event.target.value })} />}
          {filters}
          <span className="count" role="status">
            {wanted === '' ? plural(list.rows.length, ...noun) : `${formatCount(found.length)} of ${plural(list.rows.length, ...noun)}`}
            {list.more && ', more on the server'}
          </span>
        </div>
      )}
      {nothing && <Empty title={empty.title} action={empty.action}>{empty.text}</Empty>}
      {!nothing && found.length === 0 && (
        <Empty title={`No ${noun[1]} match`} action={wanted !== '' && <Button onClick={() => setAddress({ q: undefined })}>Clear the filter</Button>} />
      )}
      {found.length > 0 && <Table caption={caption} rows={found} columns={columns} id={(row) => row.id} resetKey={`${wanted}/${list.rows.length > 0}`} />}
      {list.more && <div className="more"><Button busy={list.readingMore} onClick={list.readMore}>Read more</Button></div>}
    </>
  )
}

/** Shown beside data that could not be refreshed: the reader knows how old it is. */
export function Stale({ since, error, again }: { since: number; error: unknown; again: () => void }) {
  return (
    <div className="stale">
      <PartMissing what={`What is new since ${new Date(since).toLocaleTimeString('en-GB')}`} error={error} again={again} />
    </div>
  )
}

export function IdLine({ id, at }: { id: string; at?: string }) {
  return (
    <span className="id-line">
      <Copyable text={id} label="Copy id" />
      {at && <span className="muted">made <Age at={at} /></span>}
    </span>
  )
}
