// The frame: the map at the left, tenant, search and person at the top, and what everyone must know (offline, stream away).
import { Link, useLocation } from '@tanstack/react-router'
import { useEffect, useRef, useState, useSyncExternalStore, type ReactNode } from 'react'
import { IconButton } from '../ui/button.tsx'
import { Icon, Mark } from '../ui/icons.tsx'
import { Menu, type MenuItem } from '../ui/menu.tsx'
import { useToast } from '../ui/toast.tsx'
import { useStreamHealth } from './connection.tsx'
import { placesFor } from './nav.ts'
import { Palette } from './palette.tsx'
import { useMember, useReach, useSessionDoor } from './session.tsx'
import { TenantSwitch } from './tenant.tsx'
import { chooseTheme, currentTheme } from './theme.ts'

export function Shell({ children }: { children: ReactNode }) {
  const [palette, setPalette] = useState(false)
  const [map, setMap] = useState(false)
  const { pathname } = useLocation()
  const main = useRef<HTMLElement>(null)
  const first = useRef(true)

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey)) return
      event.preventDefault()
      setPalette((open) => !open)
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])

  // A new page: the reader of a screen reader begins at its top, not at the link that led here.
  useEffect(() => {
    if (first.current) first.current = false
    else main.current?.focus({ preventScroll: true })
  }, [pathname])

  return (
    <div className="shell">
      <a className="skip" href="#main">Skip to content</a>
      <header className="topbar">
        <IconButton icon="menu" label="Map" className="map-button" aria-expanded={map} aria-controls="map" onClick={() => setMap(!map)} />
        <Link to="/" className="brand" aria-label="Weir, overview"><Mark /><span>Weir</span></Link>
        <TenantSwitch />
        <button type="button" className="search-button" aria-keyshortcuts="Control+K" onClick={() => setPalette(true)}>
          <Icon name="search" />
          <span className="search-words">Search</span>
          <kbd>Ctrl K</kbd>
        </button>
        <Person />
      </header>
      <SideMap open={map} onLeave={() => setMap(false)} />
      <main id="main" ref={main} tabIndex={-1}>
        <Notices />
        {children}
      </main>
      <Palette open={palette} onClose={() => setPalette(false)} />
    </div>
  )
}

function SideMap({ open, onLeave }: { open: boolean; onLeave: () => void }) {
  const areas = placesFor(useReach())
  return (
    <nav id="map" className={`map ${open ? 'open' : ''}`} aria-label="Map">
      {areas.map((area) => (
        <div key={area.label} className="map-area">
          <h2>{area.label}</h2>
          <ul>
            {area.places.map((place) => (
              <li key={place.to}>
                <Link to={place.to} activeOptions={{ exact: place.to === '/', includeSearch: false }} activeProps={{ className: 'current', 'aria-current': 'page' }} onClick={onLeave}>
                  <Icon name={place.icon} />
                  {place.label}
                </Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  )
}

function Person() {
  const member = useMember()
  const { signOut } = useSessionDoor()
  const say = useToast()
  const [theme, setTheme] = useState(currentTheme)
  const choose = (next: typeof theme) => {
    chooseTheme(next)
    setTheme(next)
  }
  const themes = (['system', 'light', 'dark'] as const).map((t): MenuItem => ({
    label: `${{ system: 'Theme of the system', light: 'Light theme', dark: 'Dark theme' }[t]}${theme === t ? ' ✓' : ''}`,
    onSelect: () => choose(t),
  }))
  const items: MenuItem[] = [
    ...themes,
    { label: 'API documentation', icon: 'external', onSelect: () => window.open('/docs', '_blank', 'noopener') },
    { label: `Sign out ${member.email}`, onSelect: () => void signOut().catch(() => say('Signing out failed: the control plane does not answer')) },
  ]
  return <Menu label={`${member.display_name || member.email}: account`} className="icon-button person" button={<Icon name="person" />} items={items} />
}

function subscribeOnline(changed: () => void): () => void {
  addEventListener('online', changed)
  addEventListener('offline', changed)
  return () => {
    removeEventListener('online', changed)
    removeEventListener('offline', changed)
  }
}

const AWAY_SHOWN_AFTER_MS = 4000

function Notices() {
  const online = useSyncExternalStore(subscribeOnline, () => navigator.onLine)
  const away = useStreamHealth() === 'away'
  const [long, setLong] = useState(false)
  useEffect(() => {
    // A stream that comes back within seconds is not worth a word.
    const timer = setTimeout(() => setLong(away), away ? AWAY_SHOWN_AFTER_MS : 0)
    return () => clearTimeout(timer)
  }, [away])
  if (!online) return <p className="notice" role="status"><Icon name="alert" /> You are offline. What you see was read before.</p>
  if (away && long) return <p className="notice" role="status"><Icon name="alert" /> The control plane does not answer; live updates are paused. Streams keep running.</p>
  return null
}
