// The register of kinds: where each lives in the API and in the console, and what it is called. One line per kind.
import type { AnyObject, ListPath } from '../api/types.ts'

export interface Kind {
  kind: string
  prefix: string
  api: ListPath
  /** Path of its list in the console; an object is at `<route>/<id>`. */
  route: string
  one: string
  many: string
  /** Objects of this kind have a page of their own. */
  page: boolean
}

export const KINDS: readonly Kind[] = [
  { kind: 'Environment', prefix: 'environment', api: '/v1/environments', route: '/environments', one: 'environment', many: 'environments', page: true },
  { kind: 'Cluster', prefix: 'cluster', api: '/v1/clusters', route: '/clusters', one: 'cluster', many: 'clusters', page: true },
  { kind: 'Topic', prefix: 'topic', api: '/v1/topics', route: '/topics', one: 'topic', many: 'topics', page: true },
  { kind: 'Contract', prefix: 'contract', api: '/v1/contracts', route: '/contracts', one: 'contract', many: 'contracts', page: true },
  { kind: 'ContractLintRule', prefix: 'contract_lint_rule', api: '/v1/contract-lint-rules', route: '/contract-lint-rules', one: 'lint rule', many: 'lint rules', page: true },
  { kind: 'Share', prefix: 'share', api: '/v1/shares', route: '/shares', one: 'share', many: 'shares', page: true },
  { kind: 'ReceivedShare', prefix: 'received_share', api: '/v1/received-shares', route: '/received-shares', one: 'received share', many: 'received shares', page: true },
  { kind: 'DataProduct', prefix: 'data_product', api: '/v1/data-products', route: '/data-products', one: 'data product', many: 'data products', page: true },
  { kind: 'AccessRequest', prefix: 'access_request', api: '/v1/access-requests', route: '/shares', one: 'access request', many: 'access requests', page: false },
  { kind: 'DataPlane', prefix: 'data_plane', api: '/v1/data-planes', route: '/data-planes', one: 'data plane', many: 'data planes', page: true },
  { kind: 'BrokerPool', prefix: 'pool', api: '/v1/broker-pools', route: '/data-planes', one: 'broker pool', many: 'broker pools', page: false },
  { kind: 'DataPlaneGrant', prefix: 'grant', api: '/v1/data-plane-grants', route: '/grants', one: 'grant', many: 'grants', page: true },
  { kind: 'ServiceAccount', prefix: 'service_account', api: '/v1/service-accounts', route: '/service-accounts', one: 'service account', many: 'service accounts', page: true },
  { kind: 'ApiKey', prefix: 'key', api: '/v1/api-keys', route: '/api-keys', one: 'API key', many: 'API keys', page: true },
  { kind: 'RoleBinding', prefix: 'binding', api: '/v1/role-bindings', route: '/role-bindings', one: 'role binding', many: 'role bindings', page: true },
  { kind: 'ComputePool', prefix: 'compute_pool', api: '/v1/compute-pools', route: '/compute-pools', one: 'compute pool', many: 'compute pools', page: true },
  { kind: 'Job', prefix: 'job', api: '/v1/jobs', route: '/jobs', one: 'job', many: 'jobs', page: true },
  { kind: 'ClusterLink', prefix: 'cluster_link', api: '/v1/cluster-links', route: '/cluster-links', one: 'cluster link', many: 'cluster links', page: true },
  { kind: 'Quota', prefix: 'quota', api: '/v1/quotas', route: '/quotas', one: 'quota', many: 'quotas', page: true },
  { kind: 'AlertRule', prefix: 'alert_rule', api: '/v1/alert-rules', route: '/alerts', one: 'alert rule', many: 'alert rules', page: true },
  { kind: 'Member', prefix: 'member', api: '/v1/members', route: '/members', one: 'member', many: 'members', page: true },
  { kind: 'RateCard', prefix: 'rate_card', api: '/v1/rate-cards', route: '/rate-cards', one: 'rate card', many: 'rate cards', page: true },
  { kind: 'Organization', prefix: 'org', api: '/v1/organizations', route: '/organizations', one: 'organization', many: 'organizations', page: true },
  { kind: 'Tenant', prefix: 'tenant', api: '/v1/tenants', route: '/tenants', one: 'tenant', many: 'tenants', page: true },
]

export function kindNamed(kind: string): Kind | undefined {
  return KINDS.find((k) => k.kind === kind)
}

/** The kind of a TypeID: `service_account_01j…` is a ServiceAccount. */
export function kindOfId(id: string): Kind | undefined {
  const prefix = id.slice(0, id.lastIndexOf('_'))
  return KINDS.find((k) => k.prefix === prefix)
}

/** The word for a kind, also for one that has no place in the register, such as a session. */
export function nounOf(kind: string): string {
  return kindNamed(kind)?.one ?? kind.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
}

/** What people call an object; its id when it has no name. */
export function nameOf(object: Pick<AnyObject, 'id' | 'spec'> | undefined, id?: string): string {
  const spec = (object?.spec ?? {}) as Record<string, unknown>
  for (const key of ['display_name', 'name', 'email', 'description', 'resource']) {
    const value = spec[key]
    if (typeof value === 'string' && value !== '') return value
  }
  return object?.id ?? id ?? ''
}

/** An id short enough for a table, still recognisable: prefix and last characters. */
export function shortId(id: string): string {
  const at = id.lastIndexOf('_')
  const suffix = id.slice(at + 1)
  return suffix.length > 12 ? `${id.slice(0, at + 1)}…${suffix.slice(-6)}` : id
}
