// The way from the map to an object.
import { Link } from '@tanstack/react-router'
import { Children, type ReactNode } from 'react'
import { ObjectLink } from './object-link.tsx'

export function Crumbs({ children }: { children: ReactNode }) {
  return <ol>{Children.map(children, (child) => <li>{child}</li>)}</ol>
}

export function Crumb({ to, tab, children }: { to: string; tab?: string; children: ReactNode }) {
  return <Link to={to as '/'} search={(old) => ({ tenant: old.tenant, tab })}>{children}</Link>
}

export function ObjectCrumb({ id, name }: { id: string | undefined; name: string | undefined }) {
  return <ObjectLink id={id} name={name} />
}
