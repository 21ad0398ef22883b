// API keys: the list, the making with the secret shown once, and one key.
import { useParams } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { ApiKey } from '../../api/types.ts'
import { kindNamed, shortId } from '../../app/kinds.ts'
import { useAddress, useDialogInAddress } from '../../app/search.ts'
import { Button } from '../../ui/button.tsx'
import { ChangeDialog } from '../../ui/change-dialog.tsx'
import { Copyable } from '../../ui/copyable.tsx'
import { Crumb, Crumbs } from '../../ui/crumbs.tsx'
import { Facts } from '../../ui/facts.tsx'
import { PageHead } from '../../ui/list-page.tsx'
import { ObjectLink, useNames } from '../../ui/object-link.tsx'
import { ObjectPage } from '../../ui/object-page.tsx'
import { Moment, Until } from '../../ui/status.tsx'
import { useKeyFields } from './forms.ts'
import { KeyTable } from './key-table.tsx'
import { useApiKey } from './queries.ts'
import { NewSecret, type CreatedKey } from './secret.tsx'

const KIND = kindNamed('ApiKey')!

export function ApiKeysPage() {
  const create = useDialogInAddress('create')
  const { cluster, service_account } = useAddress()
  const fields = useKeyFields(true)
  const button = <Button tone="primary" icon="plus" onClick={create.show}>Create key</Button>
  const initial = { ...(cluster && { cluster }), ...(service_account && { service_account }) }
  return (
    <>
      <PageHead title="API keys" intro="What applications sign in with, by a secret or by a certificate. We keep only verifiers: a lost secret cannot be shown again, only replaced." actions={button} />
      <KeyTable action={button} />
      <ChangeDialog<CreatedKey>
        open={create.open} title="Create an API key" act="Create key" fields={fields} initial={initial}
        call={() => ({ method: 'post', path: '/v1/api-keys' })} onClose={create.close} onDone={() => undefined}
        after={(created, close) => <NewSecret created={created} close={close} />}
      />
    </>
  )
}

function opener(key: ApiKey): [string, ReactNode][] {
  const hash = key.spec.public_key_sha256
  const id: [string, ReactNode] = [hash ? 'Key id' : 'User name', <Copyable key="u" text={key.id} label="Copy key id" />]
  return hash
    ? [id, ['Certificate’s public key (SHA-256)', <Copyable key="c" text={hash} label="Copy the hash" />]]
    : [id, ['Secret', <span key="s" className="muted">shown once, when it was made</span>]]
}

export function ApiKeyPage() {
  const { id } = useParams({ strict: false })
  const accountName = useNames('/v1/service-accounts')
  const clusterName = useNames('/v1/clusters')
  const fields = useKeyFields()
  return (
    <ObjectPage
      kind={KIND} query={useApiKey(id)} fields={fields} title={(k) => shortId(k.id)}
      deletes="Whoever uses this key is refused as soon as every gateway knows; open connections end."
      crumbs={() => <Crumbs><Crumb to="/api-keys">API keys</Crumb></Crumbs>}
    >
      {(key) => (
        <Facts items={[
          ...opener(key),
          ['Service account', <ObjectLink key="a" id={key.spec.service_account} name={accountName(key.spec.service_account)} />],
          ['Opens', key.spec.cluster ? <ObjectLink key="c" id={key.spec.cluster} name={clusterName(key.spec.cluster)} /> : 'the API'],
          ['Description', key.spec.description || <span className="muted">none</span>],
          ['Expires', key.spec.expires_at ? <span key="e"><Moment at={key.spec.expires_at} /> (<Until at={key.spec.expires_at} />)</span> : 'never'],
          ['Created', <Moment key="m" at={key.metadata.created_at} />],
        ]} />
      )}
    </ObjectPage>
  )
}
