// How to connect: address and ready configurations. The secret is a placeholder here; it is shown only when a key is made.
import { Empty } from '../../ui/states.tsx'
import type { Cluster } from '../../api/types.ts'
import { isNative } from './access.tsx'
import { Snippets } from './snippets-view.tsx'

export function Connect({ cluster, topic }: { cluster: Cluster; topic?: string }) {
  const bootstrap = cluster.status.bootstrap_servers
  if (!bootstrap) {
    return <Empty title="No address yet">The agent reports the address once {isNative(cluster) ? 'the brokers take its clients' : 'the gateway serves this cluster'}.</Empty>
  }
  return (
    <div className="stack">
      <p className="note">
        Put the id of an API key in place of <code>KEY_ID</code> and its secret in place of <code>KEY_SECRET</code>. The secret is shown once, when the key is made.
      </p>
      <Snippets native={isNative(cluster)} access={{ bootstrap, username: 'KEY_ID', password: 'KEY_SECRET', topic: topic ?? 'TOPIC', group: topic ? `${topic}-readers` : 'GROUP' }} />
    </div>
  )
}
