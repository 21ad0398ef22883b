// API keys as rows; on the list's page, a cluster's and a service account's.
import type { ReactNode } from 'react'
import type { ApiKey } from '../../api/types.ts'
import { shortId } from '../../app/kinds.ts'
import { Collection } from '../../ui/list-page.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { Age, Phase, Until } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { useApiKeys } from './queries.ts'

export function KeyTable({ serviceAccount, cluster, action }: { serviceAccount?: string; cluster?: string; action?: ReactNode }) {
  const list = useApiKeys({ service_account: serviceAccount, cluster })
  const accountName = useNames('/v1/service-accounts')
  const clusterName = useNames('/v1/clusters')
  const columns: Column<ApiKey>[] = [
    { key: 'key', label: 'Key', cell: (k) => <ObjectLink id={k.id} name={shortId(k.id)} />, sort: (k) => k.id },
    { key: 'description', label: 'Description', cell: (k) => k.spec.description || <span className="muted">none</span>, sort: (k) => k.spec.description ?? undefined },
    { key: 'phase', label: 'Phase', cell: (k) => <Phase phase={k.status.phase} />, sort: (k) => k.status.phase },
    { key: 'account', label: 'Service account', cell: (k) => <ObjectLink id={k.spec.service_account} name={accountName(k.spec.service_account)} />, sort: (k) => accountName(k.spec.service_account) },
    { key: 'cluster', label: 'Opens', cell: (k) => k.spec.cluster ? <ObjectLink id={k.spec.cluster} name={clusterName(k.spec.cluster)} /> : <span className="muted">the API</span> },
    { key: 'by', label: 'Signs in by', cell: (k) => k.spec.public_key_sha256 ? 'certificate' : 'secret', sort: (k) => k.spec.public_key_sha256 ? 'certificate' : 'secret' },
    { key: 'expires', label: 'Expires', cell: (k) => k.spec.expires_at ? <Until at={k.spec.expires_at} /> : <span className="muted">never</span>, sort: (k) => k.spec.expires_at ?? undefined },
    { key: 'created', label: 'Created', cell: (k) => <Age at={k.metadata.created_at} />, sort: (k) => k.metadata.created_at },
  ]
  return (
    <Collection
      list={list} caption="API keys" noun={['key', 'keys']}
      columns={columns.filter((c) => !(c.key === 'account' && serviceAccount) && !(c.key === 'cluster' && cluster))}
      text={(k) => `${k.id} ${k.spec.description ?? ''} ${accountName(k.spec.service_account) ?? ''} ${k.spec.public_key_sha256 ?? ''}`}
      empty={{ title: 'No keys yet', text: 'A key lets an application sign in to Kafka and to the API, by a secret that is shown once or by its certificate.', action }}
    />
  )
}
