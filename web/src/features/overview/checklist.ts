// The first-run checklist: every step ticks by an object that really is there.
import type { Seen } from './attention.ts'

export interface Step {
  label: string
  done: boolean
  hint: string
  to: string
  create?: boolean
}

export function checklist(seen: Seen & { environments: number; accounts: number; bindings: number }, records: number | undefined): Step[] {
  // A tenant that was lent a place needs no data plane of its own.
  const lent = seen.received.some((g) => g.status.phase === 'ACTIVE')
  return [
    { label: 'Create an environment', done: seen.environments > 0, hint: 'such as dev', to: '/environments', create: true },
    { label: 'Install a data plane', done: lent || seen.planes.some((p) => p.status.enrolled_at), hint: lent ? 'a place was lent to you' : 'one command inside your network', to: '/data-planes', create: true },
    { label: 'Start brokers', done: lent || seen.pools.some((p) => p.status.phase === 'READY'), hint: 'a broker pool on the data plane', to: '/data-planes' },
    { label: 'Create a cluster', done: seen.clusters.some((c) => c.status.phase === 'READY'), hint: 'your own address for Kafka clients', to: '/clusters', create: true },
    { label: 'Create a topic', done: seen.topics.some((t) => t.status.phase === 'READY'), hint: 'a named stream of records', to: '/topics', create: true },
    { label: 'Make a service account', done: seen.accounts > 0, hint: 'who your application is', to: '/service-accounts', create: true },
    { label: 'Give it a role', done: seen.bindings > 0, hint: 'what it may do', to: '/role-bindings', create: true },
    { label: 'Make a key', done: seen.keys.length > 0, hint: 'its secret is shown once', to: '/api-keys', create: true },
    { label: 'Send the first record', done: (records ?? 0) > 0, hint: 'with the configuration on the cluster’s page', to: '/clusters' },
  ]
}
