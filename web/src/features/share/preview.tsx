// What somebody sees before they take a share: its topics with their fields after masking, the price, the bound and the terms.
import type { SharePreview } from '../../api/types.ts'
import { Facts, Section } from '../../ui/facts.tsx'
import { formatBytes } from '../../ui/format.ts'
import { Moment } from '../../ui/status.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { keysText, maskedText, priceText, startText } from './share.ts'

type Topic = SharePreview['topics'][number]
type Shown = Topic['fields'][number]

const columns: readonly Column<Shown>[] = [
  { key: 'path', label: 'Field', cell: (f) => <code>{f.path}</code>, sort: (f) => f.path },
  { key: 'type', label: 'Type', cell: (f) => f.type, sort: (f) => f.type },
  { key: 'masked', label: 'Shown', cell: (f) => (f.masked ? <span className="tag busy">{maskedText(f.masked)}</span> : 'as it is'), sort: (f) => f.masked ?? '' },
]

export const FieldTable = ({ name, fields }: { name: string; fields: readonly Shown[] }) => <Table caption={`Fields of ${name}`} rows={fields} columns={columns} id={(f) => f.path} still />

export function PreviewTopics({ preview }: { preview: SharePreview }) {
  return preview.topics.map((topic) => (
    <Section key={topic.alias} title={topic.alias} note={noteOf(topic)}>
      {topic.fields.length > 0
        ? <FieldTable name={topic.alias} fields={topic.fields} />
        : <p className="muted">No contract names its fields.</p>}
    </Section>
  ))
}

function noteOf(topic: Topic): string {
  const said = [
    `Shows ${startText(topic.start)}`,
    topic.filtered && 'not every record',
    keysText(topic.keys, []),
    topic.encrypted && 'values are encrypted at rest, under keys of both sides',
    topic.contract_version !== undefined && `version ${topic.contract_version} of its contract can be relied on`,
  ]
  return `${said.filter(Boolean).join('; ')}.`
}

export function PreviewFacts({ preview }: { preview: SharePreview }) {
  const { spec } = preview
  return (
    <Facts items={[
      ['From', preview.provider_name],
      ['Price', priceText(spec.price)],
      ['Read per second at most', spec.fetch_bytes_per_second ? formatBytes(spec.fetch_bytes_per_second) : 'no bound of its own'],
      ['Ends', spec.expires_at ? <Moment key="e" at={spec.expires_at} /> : 'does not end by itself'],
      preview.invitation_expires_at !== undefined && ['Can be taken until', <Moment key="i" at={preview.invitation_expires_at} />],
      spec.description ? ['Description', spec.description] : false,
    ]} />
  )
}

export const Terms = ({ text }: { text: string }) => (text ? <Section title="Terms"><p className="share-terms">{text}</p></Section> : null)
