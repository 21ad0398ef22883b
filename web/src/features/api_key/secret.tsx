// The secret of a new key: shown once, copied or downloaded as a ready configuration, kept nowhere. Or, of a key by certificate, its hash.
import { useState } from 'react'
import type { ApiKey } from '../../api/types.ts'
import { Button } from '../../ui/button.tsx'
import { CodeBlock, Copyable } from '../../ui/copyable.tsx'
import { Facts } from '../../ui/facts.tsx'
import { PartMissing, Skeleton } from '../../ui/states.tsx'
import { Phase } from '../../ui/status.tsx'
import { isNative } from '../cluster/access.tsx'
import { certificateSnippets } from '../cluster/snippets.ts'
import { SnippetTabs, Snippets } from '../cluster/snippets-view.tsx'
import { useCluster } from '../cluster/queries.ts'
import { useApiKey } from './queries.ts'

export type CreatedKey = ApiKey & { secret?: { username: string; password: string } }

export function NewSecret({ created, close }: { created: CreatedKey; close: () => void }) {
  const [kept, setKept] = useState(false)
  const live = useApiKey(created.id)
  const { secret } = created
  const hash = created.spec.public_key_sha256
  if (hash) return <NewByCertificate created={created} hash={hash} phase={live.data?.status.phase ?? created.status.phase} close={close} />
  if (!secret) return <div className="dialog-main"><PartMissing what="The secret" error={new Error('the answer did not carry it; delete this key and make another')} /></div>
  return (
    <>
      <div className="dialog-main">
        <p className="warning">This is the only time that the secret is shown. Copy it or download a configuration now.</p>
        <Facts items={[
          ['Key id (user name)', <Copyable key="u" text={secret.username} label="Copy key id" />],
          ['Secret (password)', <span key="s" data-secret><Copyable text={secret.password} label="Copy secret" /></span>],
          ['Works', <Phase key="p" phase={live.data?.status.phase ?? created.status.phase} />],
        ]} />
        {created.spec.cluster
          ? <ClusterConfigs cluster={created.spec.cluster} username={secret.username} password={secret.password} />
          : <CodeBlock text={`WEIR_API_KEY=${secret.username}\nWEIR_API_SECRET=${secret.password}\n`} label="environment file" file="weir.env" />}
      </div>
      <footer className="dialog-foot spread">
        <label className="check"><input type="checkbox" checked={kept} onChange={(event) => setKept(event.target.checked)} /> I have kept the secret</label>
        <Button tone="primary" disabled={!kept} onClick={() => kept && close()}>Done</Button>
      </footer>
    </>
  )
}

function NewByCertificate({ created, hash, phase, close }: { created: CreatedKey; hash: string; phase: string; close: () => void }) {
  return (
    <>
      <div className="dialog-main">
        <p>Whoever holds the private key of this certificate signs in with it alone: no user name, no password. A renewed certificate over the same key goes on.</p>
        <Facts items={[
          ['Key id', <Copyable key="u" text={created.id} label="Copy key id" />],
          ['Certificate’s public key (SHA-256)', <Copyable key="c" text={hash} label="Copy the hash" />],
          ['Works', <Phase key="p" phase={phase} />],
        ]} />
        <ClusterConfigs cluster={created.spec.cluster ?? ''} />
        <p className="hint">The gateway needs TLS and names of clusters for this (<code>--gateway-sni-domain</code>); clients must connect by the cluster’s name.</p>
      </div>
      <footer className="dialog-foot"><Button tone="primary" onClick={close}>Done</Button></footer>
    </>
  )
}

function ClusterConfigs({ cluster, username, password }: { cluster: string; username?: string; password?: string }) {
  const query = useCluster(cluster)
  if (query.isPending) return <Skeleton lines={3} label="Reading the cluster’s address" />
  const bootstrap = query.data?.status.bootstrap_servers
  if (!query.data || !bootstrap) return <p className="muted">The cluster has no address yet, so there is no ready configuration.</p>
  return username && password
    ? <Snippets native={isNative(query.data)} access={{ bootstrap, username, password, topic: 'TOPIC', group: 'GROUP' }} />
    : <SnippetTabs snippets={certificateSnippets({ bootstrap, topic: 'TOPIC' })} />
}
