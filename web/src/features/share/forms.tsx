// What a share is asked for, and what is asked of who accepts one.
import { useAll } from '../../api/hooks.ts'
import type { ReceivedShare, Share, SharedTopic, Topic, TopicVisibility } from '../../api/types.ts'
import { nameOf, shortId } from '../../app/kinds.ts'
import { useTenants, useTenantInView } from '../../app/tenant.tsx'
import { labelsField, type Field, type Option } from '../../ui/form/fields.ts'
import { parseBytes, parseName, printMoment } from '../../ui/form/parse.ts'
import { parsePrice, parseRecipient, parseTopics, printPrice, printTopics } from './draft.ts'
import { PriceEditor } from './price-editor.tsx'
import { useReadFields } from './queries.ts'
import { RecipientEditor } from './recipient-editor.tsx'
import { isActive } from './share.ts'
import { TopicsEditor } from './topics-editor.tsx'

const DAY_MS = 86_400_000
export const ENDS_AFTER_DAYS = 90
const BOUND = '10 MiB'

const later = (days: number) => printMoment(new Date(Date.now() + days * DAY_MS).toISOString())

export function useTenantName(): (id: string | undefined | null) => string {
  const { tenants } = useTenants()
  return (id) => {
    const found = tenants?.find((t) => t.id === id)
    return found ? nameOf(found) : id ? shortId(id) : ''
  }
}

function useOtherTenants(): readonly Option[] {
  const inView = useTenantInView()
  return (useTenants().tenants ?? []).filter((t) => t.id !== inView).map((t) => ({ value: t.id, label: t.spec.display_name || t.spec.name }))
}

function useTopicsField({ cluster, taken, editing }: { cluster: string | undefined; taken: boolean; editing: boolean }): Field {
  const all = useAll('/v1/topics', cluster ? { cluster } : undefined, { enabled: cluster !== undefined }).data ?? []
  const readFields = useReadFields()
  const find = (id: string): Topic | undefined => all.find((t) => t.id === id)
  const others = all.filter((t) => !t.status.mount).map((t) => ({ id: t.id, name: t.spec.name }))
  return {
    name: 'topics', label: 'What they see', kind: 'custom', required: true, parts: true, parse: parseTopics, print: printTopics,
    render: (props) => (
      <TopicsEditor
        {...props} nameOf={(id) => find(id)?.spec.name ?? shortId(id)} others={others} taken={taken} editing={editing}
        readFields={(id) => { const topic = find(id); return topic ? readFields(topic) : Promise.resolve([]) }}
      />
    ),
  }
}

const price = (hint: string): Field => ({ name: 'price', label: 'Price', kind: 'custom', advanced: true, parts: true, parse: parsePrice, print: printPrice, render: (props) => <PriceEditor {...props} />, hint })
const DESCRIPTION: Field = { name: 'description', label: 'Description', kind: 'textarea', advanced: true, hint: 'For people of both sides.' }
const TERMS: Field = { name: 'terms', label: 'Terms', kind: 'textarea', advanced: true, hint: 'What the recipient has to agree to, such as: not to be passed on.' }
const MOST: Field = { name: 'fetch_bytes_per_second', label: 'Read per second at most', kind: 'text', advanced: true, parse: parseRate, print: printRate, hint: 'All readers of the share together, such as 10 MiB. Empty: no bound of the share’s own.' }
const ENDS: Field = { name: 'expires_at', label: 'Ends', kind: 'moment', hint: 'Empty: it does not end by itself. It can be revoked at any time.' }

function parseRate(text: string) {
  const read = parseBytes(text)
  return read.ok && read.value < 1 ? { ok: false as const, error: 'At least 1 B; empty for no bound' } : read
}

function printRate(value: unknown): string {
  const bytes = Number(value)
  return bytes % 1_048_576 === 0 ? `${bytes / 1_048_576} MiB` : bytes % 1_000_000 === 0 ? `${bytes / 1_000_000} MB` : `${bytes} B`
}

export function useShareFields(cluster: string, name: string): readonly Field[] {
  const tenants = useOtherTenants()
  return [
    { name: 'recipient', label: 'With whom', kind: 'custom', required: true, parts: true, initial: '{"kind":"TENANT"}', parse: parseRecipient, render: (props) => <RecipientEditor {...props} tenants={tenants} /> },
    useTopicsField({ cluster, taken: false, editing: false }),
    { ...ENDS, initial: later(ENDS_AFTER_DAYS) },
    { name: 'name', label: 'Name', kind: 'text', required: true, advanced: true, initial: name, parse: parseName, hint: 'Both sides see it; it never changes.' },
    { ...MOST, initial: BOUND },
    price('Empty: free.'), TERMS, DESCRIPTION, labelsField(),
  ]
}

/** What may still change: terms only until it is accepted. */
export function useShareEditFields(share: Share | undefined): readonly Field[] {
  const taken = share !== undefined && isActive(share)
  const topics = useTopicsField({ cluster: share?.spec.cluster, taken, editing: true })
  const plain = (field: Field): Field => ({ ...field, advanced: false })
  return [ENDS, plain(MOST), plain(price('Another price counts from the next full hour on; the recipient hears of it.')), topics, ...(taken ? [] : [plain(TERMS)]), plain(DESCRIPTION), labelsField()]
}

/** Approving: what is shown, and the bounds; whom it goes to is known. */
export function useApprovalFields(topic: Topic): readonly Field[] {
  const shown: Field = {
    name: 'topics', label: 'What they see', kind: 'custom', required: true, parts: true, parse: parseTopics, print: printTopics,
    render: (props) => <TopicsEditor {...props} nameOf={() => topic.spec.name} others={[]} taken={false} editing={false} readFields={() => Promise.resolve([])} />,
  }
  return [
    shown, { ...ENDS, initial: later(ENDS_AFTER_DAYS), required: true, hint: 'It can be revoked at any time.' }, { ...MOST, initial: BOUND, required: true, hint: 'All readers of the share together, such as 10 MiB.' }, price('Empty: as it is listed.'), TERMS,
    { name: 'answer', label: 'Answer', kind: 'textarea', advanced: true, hint: 'They read it.' },
  ]
}

/** The body of an approval: one topic, whose parts stand in it. */
export function approvalOf({ topics, ...bounds }: Record<string, unknown>): Record<string, unknown> {
  const { steps, keys, start, alias } = (topics as readonly Partial<SharedTopic>[] | undefined)?.[0] ?? {}
  return { ...bounds, steps: steps ?? [], ...(keys && { keys }), ...(start && { start }), ...(alias && { alias }) }
}

const VISIBILITIES: readonly Option[] = [
  { value: 'PRIVATE', label: 'Private: nobody else finds it' },
  { value: 'LISTED', label: 'Listed: the tenants named here' },
  { value: 'PUBLIC', label: 'Public: every tenant of this installation' },
]

function parseTenants(text: string) {
  const ids = text.split(/[\s,]+/).filter((id) => id !== '')
  const wrong = ids.find((id) => !/^tenant_[0-9a-z]{26}$/.test(id))
  return wrong === undefined ? { ok: true as const, value: ids } : { ok: false as const, error: `${wrong} is not the id of a tenant, such as tenant_01j…` }
}

/** How a topic is listed. */
export function useVisibilityFields(topic: Topic, { visibility, name, description, price: costs, tenants }: TopicVisibility['spec']): readonly Field[] {
  const known = useOtherTenants().slice(0, 5).map((t) => `${t.label}: ${t.value}`).join('; ')
  return [
    { name: 'visibility', label: 'Who finds it', kind: 'select', required: true, options: VISIBILITIES, initial: visibility },
    { name: 'tenants', label: 'Tenants', kind: 'textarea', required: true, parse: parseTenants, initial: (tenants ?? []).join('\n'), when: (texts) => texts['visibility'] === 'LISTED', hint: `Their ids, one a line.${known ? ` ${known}` : ''}` },
    { name: 'name', label: 'Called', kind: 'text', required: true, initial: name ? name : topic.spec.name.replaceAll(/[._-]+/g, ' '), hint: 'What others find it by. It need not be the topic’s name.' },
    { ...DESCRIPTION, advanced: false, initial: description ?? '', hint: 'What it holds, and what it is good for.' },
    { ...price('Empty: free. Approvals may say otherwise.'), initial: printPrice(costs ?? {}) },
  ]
}

export const endFields = (required: boolean, current: string | null | undefined): readonly Field[] => [
  { ...ENDS, required, initial: current && Date.parse(current) > Date.now() ? printMoment(current) : later(ENDS_AFTER_DAYS), hint: required ? 'By the gateways’ own clocks.' : 'Empty: as it was.' },
]

function parseTicked(text: string) {
  return text === 'yes' ? { ok: true as const, value: true } : { ok: false as const, error: 'Tick it to accept: the share has terms' }
}

export function useAcceptFields(share: ReceivedShare): readonly Field[] {
  const clusters = useAll('/v1/clusters').data ?? []
  const names = share.spec.topics.map((t) => t.alias).join(', ')
  const fields: Field[] = [
    { name: 'cluster', label: 'Cluster', kind: 'select', required: true, options: clusters.map((c) => ({ value: c.id, label: c.spec.name })), hint: 'Where the topics appear. It has to be on the broker pool that has them.' },
    { name: 'name_prefix', label: 'Before their names', kind: 'text', hint: `Such as acme. for acme.${share.spec.topics[0]?.alias ?? 'topic'}. Without it they are called ${names}.` },
  ]
  if (share.spec.terms) {
    fields.push({
      name: 'terms_accepted', label: 'Terms', kind: 'custom', required: true, initial: 'no', parse: parseTicked,
      render: ({ id, text, invalid, onChange }) => (
        <>
          <p className="share-terms">{share.spec.terms}</p>
          <p><label className="check"><input id={id} type="checkbox" aria-invalid={invalid || undefined} checked={text === 'yes'} onChange={(event) => onChange(event.target.checked ? 'yes' : 'no')} /> I agree to these terms for my tenant</label></p>
        </>
      ),
    })
  }
  return fields
}
