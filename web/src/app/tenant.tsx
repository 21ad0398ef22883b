// The tenant in view. Operators and administrators of an organization choose it; it stands in the address.
import { Link, useLocation } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useAll, useApi, useObject } from '../api/hooks.ts'
import type { Tenant } from '../api/types.ts'
import { PageHead } from '../ui/list-page.tsx'
import { LinkButton } from '../ui/button.tsx'
import { Empty, Failure, Skeleton } from '../ui/states.tsx'
import { nameOf } from './kinds.ts'
import { AREAS } from './nav.ts'
import { useSetAddress } from './search.ts'
import { useMember, useReach } from './session.tsx'

export function useTenants(): { tenants: Tenant[] | undefined; error: Error | null; again: () => void } {
  const reach = useReach()
  const query = useAll('/v1/tenants', undefined, { enabled: reach !== 'tenant' })
  return { tenants: query.data, error: query.error, again: () => void query.refetch() }
}

/** The tenant whose objects the pages show; none when nobody above tenants has chosen one. */
export function useTenantInView(): string | undefined {
  const { tenant } = useApi()
  return useMember().tenant ?? tenant
}

export function TenantSwitch() {
  const reach = useReach()
  const { tenants } = useTenants()
  const set = useSetAddress()
  const { tenant } = useApi()
  if (reach === 'tenant') return <OwnTenant />
  const unlisted = tenant !== undefined && !tenants?.some((t) => t.id === tenant)
  return (
    <label className="tenant-switch">
      <span className="hidden-visually">Tenant in view</span>
      <select value={tenant ?? ''} onChange={(event) => set({ tenant: event.target.value || undefined, q: undefined, do: undefined }, { push: true })}>
        <option value="">{reach === 'operator' ? 'Whole installation' : 'Whole organization'}</option>
        {unlisted && <option value={tenant}>{tenant}</option>}
        {tenants?.map((t) => <option key={t.id} value={t.id}>{t.spec.display_name || t.spec.name}</option>)}
      </select>
    </label>
  )
}

/** Who belongs to one tenant cannot switch, but sees where they are. */
function OwnTenant() {
  const own = useObject('/v1/tenants', useMember().tenant ?? undefined).data
  return own ? <p className="tenant-name"><span className="hidden-visually">Tenant </span><Link to="/tenants/$id" params={{ id: own.id }}>{nameOf(own)}</Link></p> : null
}

const ABOVE = new Set(AREAS.flatMap((a) => a.places.filter((p) => p.above).map((p) => p.to)))

/** Pages of a tenant's objects need a tenant; whoever is above tenants is asked for one first. */
export function TenantGate({ children }: { children: ReactNode }) {
  const tenant = useTenantInView()
  const { pathname } = useLocation()
  const above = ABOVE.has(`/${pathname.split('/')[1] ?? ''}`)
  return tenant || above ? children : <ChooseTenant />
}

function ChooseTenant() {
  const { tenants, error, again } = useTenants()
  const set = useSetAddress()
  return (
    <>
      <PageHead title="Choose a tenant" intro="Streams, networks and access belong to a tenant. Choose whose you want to see; you can switch at the top of every page." />
      {error && <Failure error={error} again={again} />}
      {!tenants && !error && <Skeleton label="Reading tenants" />}
      {tenants?.length === 0 && (
        <Empty title="No tenants yet" action={<LinkButton to="/organizations" tone="primary">Organizations</LinkButton>}>
          A tenant is the wall between customers or business units. It belongs to an organization: begin with that.
        </Empty>
      )}
      <ul className="choices">
        {tenants?.map((t) => (
          <li key={t.id}>
            <button type="button" onClick={() => set({ tenant: t.id }, { push: true })}>
              <strong>{t.spec.display_name || t.spec.name}</strong>
              <span className="muted">{t.metadata.resource_name}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  )
}
