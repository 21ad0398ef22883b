// Tags by field: the fields come from the schema, as the engine reads it.
import { useState } from 'react'
import type { Column as Field } from '../../engine/index.ts'
import { Button } from '../../ui/button.tsx'
import { plural } from '../../ui/format.ts'
import { Table, type Column } from '../../ui/table.tsx'

interface TagsEditorProps {
  columns: readonly Field[]
  tags: Record<string, string>
  onChange: (tags: Record<string, string>) => void
}

interface Row {
  path: string
  type?: string
  doc?: string
  /** Tags that the schema itself gives. */
  own: readonly string[]
}

const ROWS_MAX = 100

export function TagsEditor({ columns, tags, onChange }: TagsEditorProps) {
  const [wanted, setWanted] = useState('')
  const [path, setPath] = useState('')
  const fields = new Set(columns.map((column) => column.path))
  const rows: Row[] = [
    ...columns.map(({ path: of, type, doc, tags: own }) => ({ path: of, type, doc, own })),
    // Patterns, and fields that the schema does not have.
    ...Object.keys(tags).filter((of) => !fields.has(of)).map((of) => ({ path: of, own: [] })),
  ]
  const found = wanted === '' ? rows : rows.filter((row) => row.path.toLowerCase().includes(wanted.toLowerCase()))
  const cells: Column<Row>[] = [
    { key: 'path', label: 'Field', cell: (row) => <code title={row.doc}>{row.path}</code> },
    { key: 'type', label: 'Type', cell: (row) => row.type ?? <span className="muted">{row.path.includes('*') ? 'pattern' : 'not in the schema'}</span> },
    {
      key: 'tags', label: 'Tags', cell: (row) => (
        <span className="tag-cell">
          {row.own.map((tag) => <span key={tag} className="tag off" title="The schema says so">{tag}</span>)}
          <input type="text" aria-label={`Tags of ${row.path}`} placeholder="such as PII" value={tags[row.path] ?? ''} onChange={(event) => onChange({ ...tags, [row.path]: event.target.value })} autoComplete="off" spellCheck={false} />
        </span>
      ),
    },
  ]
  const add = () => {
    if (path.trim() !== '') onChange({ ...tags, [path.trim()]: tags[path.trim()] ?? '' })
    setPath('')
  }
  return (
    <>
      {rows.length > 10 && <div className="toolbar"><input type="search" className="filter" aria-label="Filter fields" placeholder="Filter fields" value={wanted} onChange={(event) => setWanted(event.target.value)} /><span className="count">{plural(found.length, 'field')}</span></div>}
      {found.length > 0 ? <Table caption="Tags by field" rows={found.slice(0, ROWS_MAX)} columns={cells} id={(row) => row.path} still /> : <p className="muted">{wanted === '' ? 'The fields are listed once the schema can be read.' : 'No field matches.'}</p>}
      {found.length > ROWS_MAX && <p className="muted">The first {ROWS_MAX} of them; filter for others.</p>}
      <div className="toolbar tag-pattern">
        <input type="text" className="mono" aria-label="Pattern of fields" placeholder="**.iban" value={path} onChange={(event) => setPath(event.target.value)} autoComplete="off" spellCheck={false} />
        <Button onClick={add}>Add pattern</Button>
      </div>
    </>
  )
}
