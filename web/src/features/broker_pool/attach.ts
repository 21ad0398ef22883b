// A Kafka that exists, as a form: where it is, and under which name its credential lies at the agent.
import { labelsField, type Body, type Field } from '../../ui/form/fields.ts'
import { parseName, type Parsed } from '../../ui/form/parse.ts'

const SERVERS_MAX = 10

/** `a:9092, b:9092`, or one a line. */
export function parseServers(text: string): Parsed<string[]> {
  const servers = text.split(/[\s,]+/).filter(Boolean)
  const wrong = servers.find((it) => !/^[A-Za-z0-9._-]{1,253}:\d{1,5}$/.test(it))
  if (wrong) return { ok: false, error: `${wrong} is not host:port` }
  if (servers.length > SERVERS_MAX) return { ok: false, error: `At most ${SERVERS_MAX} addresses` }
  return { ok: true, value: servers }
}

function parseCredential(text: string): Parsed<string> {
  const name = text.trim()
  return /^[a-z0-9_-]{1,63}$/.test(name) ? { ok: true, value: name } : { ok: false, error: 'The name of a file: a-z, 0-9, - and _. Never the password itself' }
}

export function attachFields(dataPlane: string): readonly Field[] {
  return [
    { name: 'name', label: 'Name', kind: 'text', required: true, parse: parseName },
    { name: 'bootstrap_servers', label: 'Bootstrap servers', kind: 'textarea', required: true, parse: parseServers, hint: 'host:port of some brokers, as the agent reaches them.' },
    { name: 'ca_pem', label: 'Authority of its TLS', kind: 'textarea', hint: 'Certificates as PEM. Empty: no TLS.' },
    { name: 'mechanism', label: 'Login', kind: 'select', options: [{ value: 'SCRAM_SHA_512', label: 'SCRAM-SHA-512' }, { value: 'SCRAM_SHA_256', label: 'SCRAM-SHA-256' }, { value: 'PLAIN', label: 'PLAIN' }], hint: 'None: its brokers ask for no login.' },
    { name: 'username', label: 'User name', kind: 'text', required: true, when: (texts) => !!texts.mechanism },
    { name: 'credential', label: 'Credential at the agent', kind: 'text', required: true, parse: parseCredential, hint: 'The agent reads credentials/<this name>.toml in its state folder: the password, and the addresses that it may be sent to. Neither comes here.' },
    { name: 'brokers', label: 'Copies of new topics', kind: 'select', required: true, initial: '1', parse: (text) => ({ ok: true, value: Number(text) }), options: [{ value: '1', label: '1' }, { value: '3', label: '3' }], hint: 'Of topics that are made here; adopted ones keep what they have.' },
    { name: 'data_plane', label: 'Data plane', kind: 'text', required: true, initial: dataPlane, advanced: true },
    labelsField(),
  ]
}

/** The form's body as the API reads it. */
export function attachBody(body: Body): Body {
  const { bootstrap_servers, ca_pem, mechanism, username, credential, ...spec } = body.spec
  const attached = {
    bootstrap_servers, credential,
    ...(ca_pem ? { tls: { ca_pem } } : {}),
    ...(mechanism ? { sasl: { mechanism, username } } : {}),
  }
  return { ...body, spec: { ...spec, attached } }
}
