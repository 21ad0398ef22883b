// What the console does, as anyone could do it: a curl command and a manifest.
import type { Call } from '../api/client.ts'
import type { AnyObject } from '../api/types.ts'

/** The token is a variable of the reader's shell: no secret is ever printed here. */
export function curlOf(call: Call, tenant?: string, origin: string = location.origin): string {
  const query = new URLSearchParams(Object.entries(call.query ?? {}).filter((e): e is [string, string] => !!e[1])).toString()
  const path = Object.entries({ id: call.id ?? '', ...call.params }).reduce((text, [name, value]) => text.replace(`{${name}}`, encodeURIComponent(value)), call.path as string)
  const lines = [`curl -sS ${call.method === 'get' ? '' : `-X ${call.method.toUpperCase()} `}${quote(`${origin}${path}${query ? `?${query}` : ''}`)}`]
  lines.push(`  -H "Authorization: Bearer $WEIR_TOKEN"`)
  if (tenant) lines.push(`  -H ${quote(`Weir-Tenant: ${tenant}`)}`)
  if (call.method === 'post') lines.push(`  -H "Idempotency-Key: $(uuidgen)"`)
  if (call.generation !== undefined) lines.push(`  -H ${quote(`If-Match: "${call.generation}"`)}`)
  if (call.body !== undefined) {
    lines.push(`  -H ${quote(`Content-Type: ${call.method === 'patch' ? 'application/merge-patch+json' : 'application/json'}`)}`)
    lines.push(`  -d ${quote(JSON.stringify(withoutPassword(call.body)))}`)
  }
  return lines.join(' \\\n')
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

function withoutPassword(body: unknown): unknown {
  return body !== null && typeof body === 'object' && 'password' in body ? { ...body, password: '…' } : body
}

/** The wish without what the control plane added to it. */
export function manifestOf(object: AnyObject): string {
  return JSON.stringify({ api_version: 'v1', kind: object.kind, metadata: { labels: object.metadata.labels }, spec: object.spec }, null, 2)
}
