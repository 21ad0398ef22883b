// Which running stack the journeys walk, and as whom: from the environment, or from the connection file of `up`.
import { readFileSync } from 'node:fs'

function connection() {
  const path = process.env.WEIR_E2E_CONNECTION
  return path ? JSON.parse(readFileSync(path, 'utf8')) : {}
}

const file = connection()
const { WEIR_E2E_CONSOLE_URL, WEIR_E2E_URL, WEIR_E2E_EMAIL, WEIR_E2E_PASSWORD, WEIR_E2E_OPERATOR_EMAIL, WEIR_E2E_OPERATOR_PASSWORD } = process.env

export const CONSOLE = (WEIR_E2E_CONSOLE_URL ?? WEIR_E2E_URL ?? file.url ?? 'http://127.0.0.1:9640').replace(/\/$/, '')
export const member = WEIR_E2E_EMAIL ? { email: WEIR_E2E_EMAIL, password: WEIR_E2E_PASSWORD ?? '' } : file.members?.payments
/** A Kafka client of that member's tenant, with the ids of what it uses; absent when only a console was named. */
export const kafka = file.kafka?.payments && { ...file.kafka.payments, principal: file.ids?.['payments.principal'], cluster: file.ids?.['payments.cluster'] }
/** A member of another tenant, which has little of its own. */
export const guest = file.members?.risk
export const operator = WEIR_E2E_OPERATOR_EMAIL ? { email: WEIR_E2E_OPERATOR_EMAIL, password: WEIR_E2E_OPERATOR_PASSWORD ?? '' } : file.members?.operator

if (!member) throw new Error('Set WEIR_E2E_CONNECTION, or WEIR_E2E_CONSOLE_URL, WEIR_E2E_EMAIL and WEIR_E2E_PASSWORD of a tenant administrator')
