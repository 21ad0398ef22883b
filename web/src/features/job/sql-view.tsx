// A program in SQL: its statement, and the tables that it sees.
import { CodeBlock } from '../../ui/copyable.tsx'
import { plural } from '../../ui/format.ts'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { eventTimeText, type SqlProgram, type SqlSink, type SqlSource } from './sql.ts'

const none = <span className="muted">none</span>

export function SqlView({ program }: { program: SqlProgram }) {
  const topicName = useNames('/v1/topics')
  const table = <T extends SqlSource | SqlSink>(): Column<T>[] => [
    { key: 'name', label: 'Table', cell: (it) => <code>{it.name}</code> },
    { key: 'topic', label: 'Topic', cell: (it) => <ObjectLink id={it.topic} name={topicName(it.topic)} /> },
    { key: 'columns', label: 'Columns', cell: (it) => <Columns columns={it.columns} /> },
  ]
  const sources: Column<SqlSource>[] = [
    ...table<SqlSource>(),
    { key: 'time', label: 'Event time', cell: (it) => (it.event_time ? eventTimeText(it.event_time) : none) },
    { key: 'key', label: 'Key', cell: (it) => (it.key ? <code>{it.key}</code> : none) },
    { key: 'start', label: 'Began with', cell: (it) => (it.start === 'LATEST' ? 'the first record after its start' : 'the oldest record') },
  ]
  const sinks: Column<SqlSink>[] = [
    ...table<SqlSink>(),
    { key: 'key', label: 'Key', cell: (it) => (it.key?.length ? <code>{it.key.join(', ')}</code> : none) },
    { key: 'mode', label: 'Rows that change', cell: (it) => (it.mode === 'UPSERT' ? 'replace the record of their key' : 'there are none') },
  ]
  return (
    <div className="stack">
      <CodeBlock text={program.statement} label="statement" wrap />
      <h3>Sources</h3>
      <Table caption="Sources" rows={program.sources} columns={sources} id={(it) => it.name} still />
      <h3>Sinks</h3>
      <Table caption="Sinks" rows={program.sinks} columns={sinks} id={(it) => it.name} still />
    </div>
  )
}

/** More of them are unfolded. */
const SHOWN_MAX = 5

function Columns({ columns = [] }: { columns: SqlSource['columns'] }) {
  if (columns.length === 0) return <span className="muted">as its contract says</span>
  const list = <ul className="plain-list">{columns.map(({ name, type }) => <li key={name}><code>{name} {type}</code></li>)}</ul>
  if (columns.length <= SHOWN_MAX) return list
  return <details><summary>{plural(columns.length, 'column')}</summary>{list}</details>
}
