// Names for what the generated document describes. Everything is derived, so a change of the API is a compile error here.
import type { components, paths } from './schema'

type JsonOf<R> = R extends { content: { 'application/json': infer T } } ? T : never
type GetOf<P extends keyof paths> = paths[P] extends { get: { responses: { 200: infer R } } } ? JsonOf<R> : never
type Page = { metadata?: unknown; data: unknown[] }

/** Paths that answer a list. */
export type ListPath = { [P in keyof paths]: GetOf<P> extends Page ? (GetOf<P> extends never ? never : P) : never }[keyof paths]
export type ListOf<P extends ListPath> = GetOf<P>
export type ItemOf<P extends ListPath> = GetOf<P> extends { data: (infer T)[] } ? T : never
export type QueryOf<P extends keyof paths> = paths[P] extends { get: { parameters: { query?: infer Q } } } ? NonNullable<Q> : never
/** Paths of one object. */
export type ObjectPath = { [P in keyof paths]: P extends `${string}/{id}` ? P : never }[keyof paths]
export type ObjectOf<P extends ObjectPath> = GetOf<P>
/** What an object's path is, given its collection's. */
export type OneOf<P extends ListPath> = `${P}/{id}` extends ObjectPath ? `${P}/{id}` : never
export type SpecOf<P extends ListPath> = ItemOf<P> extends { spec: infer S } ? S : never

export type Organization = ItemOf<'/v1/organizations'>
export type Tenant = ItemOf<'/v1/tenants'>
export type Member = ItemOf<'/v1/members'>
export type ServiceAccount = ItemOf<'/v1/service-accounts'>
export type ApiKey = ItemOf<'/v1/api-keys'>
export type RoleBinding = ItemOf<'/v1/role-bindings'>
export type Environment = ItemOf<'/v1/environments'>
export type DataPlane = ItemOf<'/v1/data-planes'>
export type DataPlaneGrant = ItemOf<'/v1/data-plane-grants'>
export type BrokerPool = ItemOf<'/v1/broker-pools'>
export type Cluster = ItemOf<'/v1/clusters'>
export type Topic = ItemOf<'/v1/topics'>
export type ComputePool = ItemOf<'/v1/compute-pools'>
export type Job = ItemOf<'/v1/jobs'>
export type ClusterLink = ItemOf<'/v1/cluster-links'>
export type LinkedTopic = NonNullable<ClusterLink['spec']['topics']>[number]
export type ClusterLinkEnd = ClusterLink['status']['source']
export type LinkedTopicStatus = ClusterLink['status']['topics'][number]
export type JobVersionList = GetOf<'/v1/jobs/{id}/versions'>
export type JobVersion = JobVersionList['data'][number]
export type JobScalingDecisionList = GetOf<'/v1/jobs/{id}/scaling-decisions'>
export type JobScalingDecision = JobScalingDecisionList['data'][number]
export type Share = ItemOf<'/v1/shares'>
export type SharedTopic = Share['spec']['topics'][number]
export type ShareRecipient = Share['spec']['recipient']
export type SharePrice = NonNullable<Share['spec']['price']>
export type ShareStart = NonNullable<SharedTopic['start']>
export type ReceivedShare = ItemOf<'/v1/received-shares'>
export type SharePreview = components['schemas']['SharePreview']
export type ShareServiceLevels = GetOf<'/v1/shares/{id}/service-levels'>
export type DataProduct = ItemOf<'/v1/data-products'>
export type AccessRequest = ItemOf<'/v1/access-requests'>
export type TopicVisibility = GetOf<'/v1/topics/{id}/visibility'>
export type Sharing = GetOf<'/v1/sharing'>
export type Quota = ItemOf<'/v1/quotas'>
export type RateCard = ItemOf<'/v1/rate-cards'>
export type AuditEvent = ItemOf<'/v1/audit-events'>
export type UsageReport = GetOf<'/v1/usage'>
export type UsageRow = UsageReport['data'][number]
export type CostReport = GetOf<'/v1/costs'>
export type CostRow = CostReport['data'][number]
export type TopicExtent = GetOf<'/v1/topics/{id}/extent'>
export type Contract = ItemOf<'/v1/contracts'>
export type ContractVersion = GetOf<'/v1/contracts/{id}/versions/{version}'>
export type TopicViolations = GetOf<'/v1/topics/{id}/violations'>
export type TopicViolation = TopicViolations['violations'][number]
export type AlertRule = ItemOf<'/v1/alert-rules'>
export type ConnectionList = GetOf<'/v1/clusters/{id}/connections'>
export type Connection = ConnectionList['data'][number]
export type QuotaUsage = GetOf<'/v1/quotas/{id}/usage'>
export type ConsumerGroupList = GetOf<'/v1/clusters/{id}/groups'>
export type ConsumerGroup = ConsumerGroupList['data'][number]
export type ConsumerGroupDetail = GetOf<'/v1/clusters/{id}/groups/{group}'>
export type AdoptionPlan = GetOf<'/v1/clusters/{id}/adoption'>
export type OffsetReset = paths['/v1/clusters/{id}/groups/{group}/reset-offsets']['post']['requestBody']['content']['application/json']
export type Session = GetOf<'/v1/sessions/current'>

/** What every object of the API has in common; pages that do not care for the kind use this. */
export interface AnyObject {
  kind: string
  id: string
  metadata: { resource_name: string; created_at: string; updated_at: string; generation: number; labels: Record<string, string> }
  spec: object
  status: {
    phase: string
    reason?: string | null
    message?: string | null
    observed_generation?: number | null
    conditions?: { type: string; status: string; reason?: string; message?: string }[]
  }
}

export interface Plan {
  kind: string
  changes: { action: string; kind: string; id?: string; before?: unknown; after?: unknown }[]
}

export interface Enrollment {
  token: string
  expires_at: string
  command: string
}
