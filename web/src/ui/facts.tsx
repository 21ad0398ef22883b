// Named values side by side, tabs whose place is in the address, and headings of parts of a page.
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useAddress, type Search } from '../app/search.ts'

export function Facts({ items }: { items: readonly (readonly [label: string, value: ReactNode] | false | undefined)[] }) {
  return (
    <dl className="facts">
      {items.map((item) => item && (
        <div key={item[0]}>
          <dt>{item[0]}</dt>
          <dd>{item[1]}</dd>
        </div>
      ))}
    </dl>
  )
}

export function Section({ title, actions, children, note }: { title: string; actions?: ReactNode; note?: ReactNode; children: ReactNode }) {
  return (
    <section className="section">
      <header>
        <h2>{title}</h2>
        {actions && <div className="actions">{actions}</div>}
      </header>
      {note && <p className="note">{note}</p>}
      {children}
    </section>
  )
}

export interface Tab {
  key: string
  label: string
  content: () => ReactNode
}

/** The first tab is the one without a word in the address. */
export function Tabs({ tabs, label }: { tabs: readonly Tab[]; label: string }) {
  const address = useAddress()
  const current = tabs.find((t) => t.key === address.tab) ?? tabs[0]
  return (
    <>
      <nav className="tabs" aria-label={label}>
        {tabs.map((t, index) => (
          <Link
            key={t.key}
            to="."
            search={(old: Search) => ({ ...old, tab: index === 0 ? undefined : t.key })}
            className={t === current ? 'current' : undefined}
            aria-current={t === current ? 'page' : undefined}
            activeOptions={{ exact: true }}
            resetScroll={false}
          >
            {t.label}
          </Link>
        ))}
      </nav>
      {current?.content()}
    </>
  )
}
