// The map: the console's pages, in the order of the left side. The palette offers the same.
import type { IconName } from '../ui/icons.tsx'

export type Reach = 'operator' | 'organization' | 'tenant'

export interface Place {
  to: string
  label: string
  icon: IconName
  /** Who has a use for it; everyone if not said. */
  reach?: readonly Reach[]
  /** Makes sense without a tenant in view. */
  above?: boolean
}

export interface Area {
  label: string
  places: readonly Place[]
}

export const AREAS: readonly Area[] = [
  {
    label: 'Streams',
    places: [
      { to: '/', label: 'Overview', icon: 'overview' },
      { to: '/environments', label: 'Environments', icon: 'environment' },
      { to: '/clusters', label: 'Clusters', icon: 'cluster' },
      { to: '/topics', label: 'Topics', icon: 'topic' },
      { to: '/jobs', label: 'Jobs', icon: 'job' },
      { to: '/shares', label: 'Sharing', icon: 'share' },
      { to: '/cluster-links', label: 'Cluster links', icon: 'copy' },
      { to: '/contracts', label: 'Contracts', icon: 'contract' },
      { to: '/contract-lint-rules', label: 'Lint rules', icon: 'check' },
    ],
  },
  {
    label: 'Network',
    places: [
      { to: '/data-planes', label: 'Data planes', icon: 'plane' },
      { to: '/compute-pools', label: 'Compute pools', icon: 'compute' },
      { to: '/grants', label: 'Grants', icon: 'grant' },
    ],
  },
  {
    label: 'Access',
    places: [
      { to: '/service-accounts', label: 'Service accounts', icon: 'account' },
      { to: '/api-keys', label: 'API keys', icon: 'key' },
      { to: '/role-bindings', label: 'Role bindings', icon: 'role' },
      { to: '/quotas', label: 'Quotas', icon: 'quota' },
      { to: '/members', label: 'Members', icon: 'members', above: true },
    ],
  },
  {
    label: 'Money',
    places: [
      { to: '/costs', label: 'Usage and cost', icon: 'cost', above: true },
      { to: '/rate-cards', label: 'Rate cards', icon: 'card', above: true },
    ],
  },
  {
    label: 'Governance',
    places: [
      { to: '/alerts', label: 'Alerts', icon: 'alert' },
      { to: '/audit', label: 'Audit', icon: 'audit', above: true },
      { to: '/organizations', label: 'Organizations', icon: 'organization', reach: ['operator', 'organization'], above: true },
      { to: '/tenants', label: 'Tenants', icon: 'tenant', reach: ['operator', 'organization'], above: true },
    ],
  },
]

export function placesFor(reach: Reach): readonly Area[] {
  return AREAS.map((area) => ({ ...area, places: area.places.filter((p) => !p.reach || p.reach.includes(reach)) }))
}
