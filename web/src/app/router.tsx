// Every address of the console. Pages are loaded when they are first visited.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, retainSearchParams } from '@tanstack/react-router'
import { Root } from './root.tsx'
import { parseSearch, stringifySearch, validateSearch } from './search.ts'
import { NotFound, PageFailed } from './not-found.tsx'
import { INVITATION_PATH } from './invitation.ts'

const root = createRootRoute({
  component: Root,
  notFoundComponent: NotFound,
  errorComponent: PageFailed,
  validateSearch,
  // The tenant in view goes along to every page.
  search: { middlewares: [retainSearchParams(['tenant'])] },
})

const page = <P extends string>(path: P, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => root, path, component })

const environment = () => import('../features/environment/routes.tsx')
const cluster = () => import('../features/cluster/routes.tsx')
const topic = () => import('../features/topic/routes.tsx')
const contract = () => import('../features/contract/routes.tsx')
const contractEditor = () => import('../features/contract/editor-pages.tsx')
const lintRule = () => import('../features/contract_lint_rule/routes.tsx')
const group = () => import('../features/consumer_group/routes.tsx')
const dataPlane = () => import('../features/data_plane/routes.tsx')
const grant = () => import('../features/data_plane_grant/routes.tsx')
const share = () => import('../features/share/routes.tsx')
const receivedShare = () => import('../features/share/received-page.tsx')
const clusterLink = () => import('../features/cluster_link/routes.tsx')
const product = () => import('../features/share/product-page.tsx')
const account = () => import('../features/service_account/routes.tsx')
const key = () => import('../features/api_key/routes.tsx')
const binding = () => import('../features/role_binding/routes.tsx')
const quota = () => import('../features/quota/routes.tsx')
const alert = () => import('../features/alert_rule/routes.tsx')
const computePool = () => import('../features/compute_pool/routes.tsx')
const job = () => import('../features/job/routes.tsx')
const member = () => import('../features/member/routes.tsx')
const card = () => import('../features/rate_card/routes.tsx')
const organization = () => import('../features/organization/routes.tsx')
const tenant = () => import('../features/tenant/routes.tsx')

const routes = root.addChildren([
  page('/', lazyRouteComponent(() => import('../features/overview/routes.tsx'), 'OverviewPage')),
  page('/environments', lazyRouteComponent(environment, 'EnvironmentsPage')),
  page('/environments/$id', lazyRouteComponent(environment, 'EnvironmentPage')),
  page('/clusters', lazyRouteComponent(cluster, 'ClustersPage')),
  page('/clusters/$id', lazyRouteComponent(cluster, 'ClusterPage')),
  page('/clusters/$id/groups/$group', lazyRouteComponent(group, 'GroupPage')),
  page('/topics', lazyRouteComponent(topic, 'TopicsPage')),
  page('/topics/$id', lazyRouteComponent(topic, 'TopicPage')),
  page('/contracts', lazyRouteComponent(contract, 'ContractsPage')),
  page('/contracts/new', lazyRouteComponent(contractEditor, 'NewContractPage')),
  page('/contracts/$id', lazyRouteComponent(contract, 'ContractPage')),
  page('/contracts/$id/new', lazyRouteComponent(contractEditor, 'NewVersionPage')),
  page('/contract-lint-rules', lazyRouteComponent(lintRule, 'LintRulesPage')),
  page('/contract-lint-rules/$id', lazyRouteComponent(lintRule, 'LintRulePage')),
  page('/data-planes', lazyRouteComponent(dataPlane, 'DataPlanesPage')),
  page('/data-planes/$id', lazyRouteComponent(dataPlane, 'DataPlanePage')),
  page('/grants', lazyRouteComponent(grant, 'GrantsPage')),
  page('/grants/$id', lazyRouteComponent(grant, 'GrantPage')),
  page('/shares', lazyRouteComponent(share, 'SharesPage')),
  page('/shares/$id', lazyRouteComponent(share, 'SharePage')),
  page('/received-shares/$id', lazyRouteComponent(receivedShare, 'ReceivedSharePage')),
  page('/cluster-links', lazyRouteComponent(clusterLink, 'ClusterLinksPage')),
  page('/cluster-links/$id', lazyRouteComponent(clusterLink, 'ClusterLinkPage')),
  page('/data-products/$id', lazyRouteComponent(product, 'ProductPage')),
  page(INVITATION_PATH, lazyRouteComponent(() => import('../features/share/invitation-page.tsx'), 'ClaimPage')),
  page('/service-accounts', lazyRouteComponent(account, 'ServiceAccountsPage')),
  page('/service-accounts/$id', lazyRouteComponent(account, 'ServiceAccountPage')),
  page('/api-keys', lazyRouteComponent(key, 'ApiKeysPage')),
  page('/api-keys/$id', lazyRouteComponent(key, 'ApiKeyPage')),
  page('/role-bindings', lazyRouteComponent(binding, 'RoleBindingsPage')),
  page('/role-bindings/$id', lazyRouteComponent(binding, 'RoleBindingPage')),
  page('/quotas', lazyRouteComponent(quota, 'QuotasPage')),
  page('/quotas/$id', lazyRouteComponent(quota, 'QuotaPage')),
  page('/alerts', lazyRouteComponent(alert, 'AlertsPage')),
  page('/alerts/$id', lazyRouteComponent(alert, 'AlertPage')),
  page('/compute-pools', lazyRouteComponent(computePool, 'ComputePoolsPage')),
  page('/compute-pools/$id', lazyRouteComponent(computePool, 'ComputePoolPage')),
  page('/jobs', lazyRouteComponent(job, 'JobsPage')),
  page('/jobs/$id', lazyRouteComponent(job, 'JobPage')),
  page('/members', lazyRouteComponent(member, 'MembersPage')),
  page('/members/$id', lazyRouteComponent(member, 'MemberPage')),
  page('/costs', lazyRouteComponent(() => import('../features/cost/routes.tsx'), 'CostsPage')),
  page('/rate-cards', lazyRouteComponent(card, 'RateCardsPage')),
  page('/rate-cards/$id', lazyRouteComponent(card, 'RateCardPage')),
  page('/audit', lazyRouteComponent(() => import('../features/audit_event/routes.tsx'), 'AuditPage')),
  page('/organizations', lazyRouteComponent(organization, 'OrganizationsPage')),
  page('/organizations/$id', lazyRouteComponent(organization, 'OrganizationPage')),
  page('/tenants', lazyRouteComponent(tenant, 'TenantsPage')),
  page('/tenants/$id', lazyRouteComponent(tenant, 'TenantPage')),
])

export const router = createRouter({ routeTree: routes, parseSearch, stringifySearch, scrollRestoration: true, defaultPreload: 'intent' })

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
