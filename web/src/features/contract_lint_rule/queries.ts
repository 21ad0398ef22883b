// Reads of lint rules.
import type { UseQueryResult } from '@tanstack/react-query'
import { useList, useObject, type Rows } from '../../api/hooks.ts'
import type { AnyObject, ListPath } from '../../api/types.ts'

export interface LintRule extends AnyObject {
  spec: {
    display_name: string
    environment?: string | null
    description?: string | null
    expression: string
    message: string
    mode: 'ENFORCE' | 'AUDIT'
  }
}

export const LINT_RULES = '/v1/contract-lint-rules' as ListPath
export const useLintRules = () => useList(LINT_RULES) as unknown as Rows<LintRule>
export const useLintRule = (id: string | undefined) => useObject(LINT_RULES, id) as unknown as UseQueryResult<LintRule>
