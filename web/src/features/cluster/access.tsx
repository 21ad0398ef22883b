// What it means that a cluster is in native mode, in one place.
import type { Cluster } from '../../api/types.ts'

export const isNative = (cluster: Cluster): boolean => cluster.spec.access === 'NATIVE'

export const accessText = (cluster: Cluster): string =>
  isNative(cluster) ? 'native: clients reach the brokers directly' : 'through the gateway'

export function NativeNote() {
  return (
    <p className="note" data-note="native">
      This cluster is in native mode: clients reach the brokers directly, and the agent writes Kafka’s own users, access rules and quotas from keys, role bindings and quotas.
      There are no pooled quotas, contracts, mounts or connections to see, and <strong>nothing is metered or charged</strong>. Topics are made here, not by clients.
    </p>
  )
}
