// What an API key is asked for.
import { useAll } from '../../api/hooks.ts'
import { labelsField, type Field } from '../../ui/form/fields.ts'
import type { Parsed } from '../../ui/form/parse.ts'

/** A private key that was pasted by mistake does not leave the browser. */
export function parseCertificate(text: string): Parsed {
  if (text.includes('PRIVATE KEY')) return { ok: false, error: 'This holds a private key. Paste the certificate alone; the private key stays with its client.' }
  if (!/-----BEGIN (CERTIFICATE|PUBLIC KEY)-----/.test(text)) return { ok: false, error: 'Paste the text that begins with -----BEGIN CERTIFICATE-----' }
  return { ok: true, value: text.trim() }
}

/** What opens a key is said when it is made, and never again. */
export function useKeyFields(creating = false): readonly Field[] {
  const accounts = useAll('/v1/service-accounts').data ?? []
  const clusters = useAll('/v1/clusters').data ?? []
  const certificate: Field = {
    name: 'certificate_pem', label: 'Client certificate', kind: 'textarea', when: (texts) => Boolean(texts.cluster), parse: parseCertificate,
    hint: 'Paste it in PEM, and clients that hold its private key sign in by it, over TLS and without a password. Only the hash of its public key is kept. Without it, a secret is made.',
  }
  return [
    { name: 'service_account', label: 'Service account', kind: 'select', required: true, fixed: true, options: accounts.map((a) => ({ value: a.id, label: a.spec.name })), hint: 'Who the key signs in. Without one, make a service account first.' },
    { name: 'cluster', label: 'Cluster', kind: 'select', fixed: true, options: clusters.map((c) => ({ value: c.id, label: c.spec.name })), hint: 'A key for a cluster opens that cluster and nothing else. None: it opens the API.' },
    ...(creating ? [certificate] : []),
    { name: 'description', label: 'Description', kind: 'text', hint: 'Where it is used, so that whoever finds it later knows.' },
    { name: 'expires_at', label: 'Expires', kind: 'moment', hint: 'Your local time. None: it works until it is deleted.' },
    labelsField(),
  ]
}
