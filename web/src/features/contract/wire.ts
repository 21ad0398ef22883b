// What the API says about contracts that are being written.

export type SchemaType = 'AVRO' | 'JSON' | 'PROTOBUF'

/** A name in the schema, and the version that it stands for. */
export interface Reference {
  name: string
  subject: string
  version: number
}

/** What beside the schema describes a version, in the words of the registry's API. */
export interface Metadata {
  tags: Record<string, string[]>
  properties: Record<string, string>
}

export interface ContractWish {
  environment?: string
  subject?: string
  schema_type: SchemaType
  schema: string
  references?: Reference[]
  metadata?: Metadata
  rule_set?: Record<string, unknown>
  compatibility?: string
}

export type ProblemSource = 'SCHEMA' | 'RULE_SET' | 'COMPATIBILITY' | 'LINT' | 'LIFECYCLE'

export interface PlanProblem {
  source: ProblemSource
  rule?: string | null
  path?: string | null
  line?: number | null
  column?: number | null
  message: string
  blocking: boolean
}

export interface PlanChange {
  part: string
  path: string
  breaking: boolean
  message: string
}

export interface ImpactTopic {
  topic_id: string
  name: string
  cluster_id: string
  enforcement: string
}

export interface ImpactAccount {
  service_account_id: string
  display_name?: string | null
  topic_id: string
  last_hour_at?: string | null
}

export interface Impact {
  topics: ImpactTopic[]
  writers: ImpactAccount[]
  readers: ImpactAccount[]
  truncated: boolean
}

export interface ContractPlan {
  accepted: boolean
  version: number | null
  unchanged: boolean
  problems: PlanProblem[]
  changes: PlanChange[]
  impact: Impact
}
