// Search over pages and objects (Ctrl-K). Typing narrows, arrows move, Enter goes.
import { useNavigate } from '@tanstack/react-router'
import { useState, type KeyboardEvent } from 'react'
import { useAll } from '../api/hooks.ts'
import type { AnyObject } from '../api/types.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Icon, type IconName } from '../ui/icons.tsx'
import { KINDS, nameOf } from './kinds.ts'
import { placesFor } from './nav.ts'
import { narrow, type Entry } from './palette-search.ts'
import type { Search } from './search.ts'
import { useReach } from './session.tsx'
import { useTenantInView } from './tenant.tsx'

const ICONS: Record<string, IconName> = {
  Environment: 'environment', Cluster: 'cluster', Topic: 'topic', DataPlane: 'plane', ServiceAccount: 'account', ApiKey: 'key', Tenant: 'tenant',
}
const ACTS: readonly Entry[] = [
  { key: 'new-topic', label: 'Create a topic', note: 'act', icon: 'plus', to: '/topics', search: { do: 'create' } },
  { key: 'new-cluster', label: 'Create a cluster', note: 'act', icon: 'plus', to: '/clusters', search: { do: 'create' } },
  { key: 'new-key', label: 'Create an API key', note: 'act', icon: 'plus', to: '/api-keys', search: { do: 'create' } },
  { key: 'new-data-plane', label: 'Install a data plane', note: 'act', icon: 'plus', to: '/data-planes', search: { do: 'create' } },
]

export function Palette({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} title="Search pages and objects" onClose={onClose} shape="top" hideTitle>
      <Finder onClose={onClose} />
    </Dialog>
  )
}

function useEntries(): { entries: Entry[]; loading: boolean } {
  const tenant = useTenantInView()
  const reach = useReach()
  const inTenant = { enabled: tenant !== undefined }
  const lists = [
    useAll('/v1/environments', undefined, inTenant),
    useAll('/v1/clusters', undefined, inTenant),
    useAll('/v1/topics', undefined, inTenant),
    useAll('/v1/data-planes', undefined, inTenant),
    useAll('/v1/service-accounts', undefined, inTenant),
    useAll('/v1/api-keys', undefined, inTenant),
    useAll('/v1/tenants', undefined, { enabled: reach !== 'tenant' }),
  ]
  const pages = placesFor(reach).flatMap((area) => area.places.map((p): Entry => ({ key: p.to, label: p.label, note: area.label, icon: p.icon, to: p.to })))
  const objects = lists.flatMap((list) => ((list.data ?? []) as AnyObject[]).map(entryOf)).filter((e) => e !== undefined)
  return { entries: [...pages, ...ACTS, ...objects], loading: lists.some((l) => l.isLoading) }
}

function entryOf(object: AnyObject): Entry | undefined {
  const kind = KINDS.find((k) => k.kind === object.kind)
  if (!kind) return undefined
  return { key: object.id, label: nameOf(object), note: kind.one, icon: ICONS[object.kind] ?? 'right', to: `${kind.route}/$id`, id: object.id }
}

function Finder({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const navigate = useNavigate()
  const { entries, loading } = useEntries()
  const found = narrow(entries, text)
  const active = Math.min(at, found.length - 1)
  const go = (entry: Entry | undefined) => {
    if (!entry) return
    onClose()
    const search = (old: Search) => ({ tenant: old.tenant, ...entry.search })
    void navigate({ to: entry.to, params: { id: entry.id }, search } as unknown as Parameters<typeof navigate>[0])
  }
  const onKey = (event: KeyboardEvent) => {
    const moves: Record<string, number> = { ArrowDown: active + 1, ArrowUp: active - 1 }
    const next = moves[event.key]
    if (next !== undefined) {
      event.preventDefault()
      setAt((next + found.length) % Math.max(1, found.length))
    } else if (event.key === 'Enter') {
      event.preventDefault()
      go(found[active])
    }
  }
  return (
    <div className="palette">
      <div className="palette-input">
        <Icon name="search" />
        <input
          type="text" role="combobox" aria-expanded="true" aria-controls="palette-list" aria-label="Search pages and objects"
          aria-activedescendant={found[active] ? `palette-${active}` : undefined} aria-autocomplete="list"
          placeholder="Page, object or id" value={text} autoComplete="off" spellCheck={false}
          onChange={(event) => { setText(event.target.value); setAt(0) }} onKeyDown={onKey}
        />
      </div>
      <div id="palette-list" role="listbox" tabIndex={-1} aria-label="Found">
        {found.map((entry, index) => (
          // Keys are handled by the input, which keeps the focus: the listbox pattern.
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events
          <div key={entry.key} id={`palette-${index}`} role="option" tabIndex={-1} aria-selected={index === active} onClick={() => go(entry)} onPointerMove={() => setAt(index)}>
            <Icon name={entry.icon} />
            <span>{entry.label}</span>
            <span className="muted">{entry.note}</span>
          </div>
        ))}
      </div>
      <p className="palette-foot" role="status">
        {loading ? 'Reading objects…' : found.length === 0 ? 'Nothing found' : '↑ ↓ to move, Enter to go, Esc to close'}
      </p>
    </div>
  )
}
