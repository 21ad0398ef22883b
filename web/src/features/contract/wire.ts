// What the API says about contracts that are being written, by the names of this feature.

import type { components } from '../../api/schema'

type Schemas = components['schemas']

export type SchemaType = Schemas['ContractSchemaType']
export type Reference = Schemas['ContractReferenceInput']
/** What beside the schema describes a version; what is sensitive is not edited here. */
export type Metadata = Required<Omit<Schemas['ContractMetadataInput'], 'sensitive'>>

/** A new contract, or a new version of one, which has no subject to choose. */
export interface ContractWish extends Omit<Schemas['ContractInputSpec'], 'subject' | 'rule_set' | 'compatibility'> {
  subject?: string
  rule_set?: Record<string, unknown>
  compatibility?: string
}

export type ProblemSource = Schemas['ContractProblemSource']
export type PlanProblem = Schemas['ContractProblem']
export type PlanChange = Schemas['ContractChange']
export type ImpactTopic = Schemas['ContractImpactTopic']
export type ImpactJob = Schemas['ContractImpactJob']
export type ImpactAccount = Schemas['ContractImpactUse']
export type Impact = Schemas['ContractImpact']
export type ContractPlan = Schemas['ContractPlan']
