// Photographs the console on a running stack into docs/screenshots: every page at two widths, under the same names each
// time. What it has to make for that (a data plane to install, a key) is deleted again; one-time secrets are covered.
//   WEIR_E2E_CONNECTION=../.weir/connection.json npm run screenshots            all of them
//   WEIR_E2E_CONNECTION=../.weir/connection.json npm run screenshots -- topic   those whose name contains a word
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NARROW, openBrowser, settled, signIn, WIDE } from '../tests/browser/harness.mjs'
import { CONSOLE, guest, member, operator } from '../tests/browser/target.mjs'
import { withPalette } from './palette-png.mjs'

const FOLDER = fileURLToPath(new URL('../../docs/screenshots/', import.meta.url))
const HEIGHT_MAX = 1600
const TOTAL_MAX_BYTES = 5_000_000
const PLANE = 'zurich'
const KEY_NOTE = 'Screenshot; deleted at once'
const OURS = { for: 'screenshot' }

const wanted = process.argv[2] ?? ''
const { browser, close } = await openBrowser()

/** What a member sees: name, address, and what is done there before the picture; in the order in which they are taken. */
const ofMember = (see) => [
  ['overview', '/'],
  ['overview-dark', '/', { dark: true }],
  ['environments', '/environments'],
  ['environment', () => first(see, '/v1/environments', '/environments')],
  ['clusters', '/clusters'],
  ['cluster', () => first(see, '/v1/clusters', '/clusters')],
  ['groups', async () => `${await first(see, '/v1/clusters', '/clusters')}?tab=groups`],
  ['group', () => firstGroup(see)],
  ['group-reset', async () => `${await firstGroup(see)}?do=reset`, { then: () => resetGroup(see) }],
  ['cluster-connect', async () => `${await first(see, '/v1/clusters', '/clusters')}?tab=connect`],
  ['topics', '/topics'],
  ['topic', () => first(see, '/v1/topics', '/topics')],
  ['topic-create', '/topics?do=create', { then: () => fillTopic(see) }],
  ['topic-plan', '/topics?do=create', { then: () => fillTopic(see).then(() => review(see)) }],
  ['topic-delete', async () => `${await first(see, '/v1/topics', '/topics')}?do=delete`, { then: () => see.dialog().getByLabel(/^Type/).waitFor() }],
  ['topic-manifest', async () => `${await first(see, '/v1/topics', '/topics')}?do=api`],
  ['topic-contract', async () => `${await named(see, '/v1/topics', '/topics', (t) => t.spec.contract)}?tab=contract`],
  ['contracts', '/contracts'],
  ['contract', () => named(see, '/v1/contracts', '/contracts', (c) => c.status.latest.has_rules)],
  ['contract-new', '/contracts/new', { then: () => tryRecords(see) }],
  ['contract-version', async () => `${await ruled(see)}/new`, { then: () => follow(see) }],
  ['contract-plan', async () => `${await ruled(see)}/new`, { then: () => planVersion(see) }],
  ['contract-lineage', async () => `${await ruled(see)}?tab=lineage`],
  ['topic-lineage', async () => `${await named(see, '/v1/topics', '/topics', (t) => t.spec.contract)}?tab=lineage`],
  ['lint-rules', '/contract-lint-rules'],
  ['lint-rule-create', '/contract-lint-rules?do=create'],
  ['compute-pools', '/compute-pools'],
  ['jobs', '/jobs'],
  ['job', () => jobOf(see, 'ACTION')],
  ['job-program', async () => `${await jobOf(see, 'ACTION')}?tab=program`],
  ['job-workers', async () => `${await jobOf(see, 'ACTION')}?tab=workers`],
  ['job-create', '/jobs?do=create'],
  ['job-sql', () => jobOf(see, 'SQL')],
  ['job-sql-edit', async () => `${await jobOf(see, 'SQL')}?do=edit`, { then: () => see.dialog().getByLabel('Statement').waitFor() }],
  ['job-create-sql', '/jobs?do=create', { then: () => writeSql(see) }],
  ['data-planes', '/data-planes'],
  ['data-plane', () => first(see, '/v1/data-planes', '/data-planes')],
  ['pool-attach', async () => `${await first(see, '/v1/data-planes', '/data-planes')}?do=attach-pool`],
  ['data-plane-enrol', '/data-planes?do=create', { then: () => makePlane(see) }],
  ['data-plane-waiting', () => named(see, '/v1/data-planes', '/data-planes', (p) => p.spec.name === PLANE)],
  ['grants', '/grants?tab=offered'],
  ['grant', () => first(see, '/v1/data-plane-grants', '/grants')],
  ['service-accounts', '/service-accounts'],
  ['service-account', () => first(see, '/v1/service-accounts', '/service-accounts')],
  ['api-keys', '/api-keys'],
  ['api-key', () => first(see, '/v1/api-keys', '/api-keys')],
  ['api-key-secret', '/api-keys?do=create', { then: () => makeKey(see) }],
  ['role-bindings', '/role-bindings'],
  ['role-binding', () => first(see, '/v1/role-bindings', '/role-bindings')],
  ['quota', () => makeQuota(see)],
  ['quotas', '/quotas'],
  ['quota-create', '/quotas?do=create'],
  ['cluster-connections', async () => `${await first(see, '/v1/clusters', '/clusters')}?tab=connections`],
  ['alert', () => makeAlert(see), { then: () => see.page.locator('[data-phase=OK]').waitFor() }],
  ['alert-no-data', () => makeLagAlert(see), { then: () => see.page.getByText('no such group').waitFor() }],
  ['alerts', '/alerts'],
  ['alert-create', '/alerts?do=create'],
  ['alert-create-lag', '/alerts?do=create', { then: () => see.dialog().getByLabel('What is watched').selectOption('LAG') }],
  ['members', '/members'],
  ['member', () => first(see, '/v1/members', '/members')],
  ['costs', '/costs', { then: () => see.page.locator('.chart canvas').waitFor() }],
  ['usage', '/costs?measure=bytes&group_by=topic,direction', { then: () => see.page.locator('.chart canvas').waitFor() }],
  ['rate-cards', '/rate-cards'],
  ['rate-card', () => first(see, '/v1/rate-cards', '/rate-cards')],
  ['audit', '/audit'],
  ['audit-event', '/audit?kind=Topic', { then: () => see.page.locator('[data-row] button').first().click() }],
  ['search', '/', { then: () => search(see) }],
  ['not-found', '/no-such-page'],
  ['object-not-found', '/topics/topic_00000000000000000000000000'],
]
const ofGuest = () => [['empty', '/data-planes']]
const ofOperator = (see) => [
  ['choose-tenant', '/topics'],
  ['organizations', '/organizations'],
  ['organization', () => first(see, '/v1/organizations', '/organizations')],
  ['organization-plan', '/organizations?do=create', { then: () => planOrganization(see) }],
  ['tenants', '/tenants'],
  ['tenant', () => first(see, '/v1/tenants', '/tenants')],
  ['costs-of-all', '/costs?group_by=tenant', { then: () => see.page.locator('.chart canvas').waitFor() }],
  ['rate-card-create', '/rate-cards?do=create'],
]

try {
  mkdirSync(FOLDER, { recursive: true })
  if (wanted === '') for (const file of pictures()) rmSync(join(FOLDER, file))
  for (const viewport of [WIDE, NARROW]) {
    await photograph(viewport, member, ofMember, true)
    if (guest) await photograph(viewport, guest, ofGuest)
    if (operator) await photograph(viewport, operator, ofOperator)
  }
  const bytes = pictures().reduce((sum, file) => sum + statSync(join(FOLDER, file)).size, 0)
  console.log(`${pictures().length} pictures, ${(bytes / 1e6).toFixed(2)} MB`)
  if (bytes > TOTAL_MAX_BYTES) throw new Error(`the pictures are larger than ${TOTAL_MAX_BYTES / 1e6} MB together`)
} finally {
  await close()
}

function pictures() {
  return readdirSync(FOLDER).filter((file) => file.endsWith('.png'))
}

async function photograph(viewport, who, shots, signInToo = false) {
  const context = await browser.newContext({ viewport, reducedMotion: 'reduce' })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  const see = { page, dialog: () => page.getByRole('dialog') }
  await page.goto(CONSOLE)
  await page.getByRole('heading', { name: 'Sign in to Weir' }).waitFor()
  if (signInToo) await take(page, viewport, 'sign-in')
  await signIn(page, who)
  try {
    for (const [name, where, { then, dark } = {}] of shots(see)) {
      if (!name.includes(wanted)) continue
      await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' })
      await page.goto(CONSOLE + (typeof where === 'string' ? where : await where()))
      await settled(page)
      await then?.()
      await settled(page)
      await take(page, viewport, name)
    }
  } finally {
    await cleanUp(see)
    await context.close()
  }
}

async function take(page, viewport, name) {
  if (!name.includes(wanted)) return
  await page.mouse.move(0, 0)
  await page.evaluate(() => document.fonts.ready)
  const modal = await page.evaluate(() => !!document.querySelector('dialog[open]'))
  const path = join(FOLDER, `${name}-${viewport.width}.png`)
  const height = modal ? viewport.height : Math.min(HEIGHT_MAX, await page.evaluate(() => document.documentElement.scrollHeight))
  // The screen itself grows, so that what sticks to its top stays there.
  await page.setViewportSize({ width: viewport.width, height: Math.max(height, viewport.height) })
  await page.waitForTimeout(300)
  writeFileSync(path, withPalette(await page.screenshot({ caret: 'hide', animations: 'disabled' })))
  await page.setViewportSize(viewport)
  console.log(path.slice(FOLDER.length))
}

/** The API as the person who is signed in. */
function ask(page, path, method = 'GET', body = undefined) {
  return page.evaluate(async ([path, method, body]) => {
    const session = await (await fetch('/v1/sessions/current')).json()
    const answer = await fetch(path, { method, headers: method === 'GET' ? {} : { 'Weir-Csrf': session.csrf_token, 'Content-Type': 'application/json' }, body })
    return answer.status === 204 ? undefined : answer.json()
  }, [path, method, body && JSON.stringify(body)])
}

async function named(see, api, route, fits) {
  const { data } = await ask(see.page, api)
  const found = data.find(fits)
  if (!found) throw new Error(`there is nothing at ${api} to photograph`)
  return `${route}/${found.id}`
}

function first(see, api, route) {
  return named(see, api, route, () => true)
}

const jobOf = (see, kind) => named(see, '/v1/jobs', '/jobs', (job) => job.spec.program.kind === kind)

/** The example, refused: no topic was chosen. */
async function writeSql({ dialog }) {
  await dialog().getByRole('radio', { name: /^SQL/ }).check()
  await dialog().getByRole('button', { name: 'Insert an example' }).click()
  await dialog().getByRole('button', { name: 'Review' }).click()
  await dialog().locator('.program-sink .field-error').first().waitFor()
  await dialog().getByLabel('Statement').scrollIntoViewIfNeeded()
}

/** The first cluster that has a group, and its first group. */
async function firstGroup({ page }) {
  const { data: clusters } = await ask(page, '/v1/clusters')
  for (const { id } of clusters) {
    const { data: groups = [] } = await ask(page, `/v1/clusters/${id}/groups`)
    if (groups.length > 0) return `/clusters/${id}/groups/${encodeURIComponent(groups[0].group)}`
  }
  throw new Error('there is no consumer group to photograph')
}

async function resetGroup({ dialog }) {
  await dialog().getByLabel('Move to').selectOption('EARLIEST')
  await review({ dialog })
}

/** One that only counts; deleted at the end. */
async function makeQuota(see) {
  const clusters = await ask(see.page, '/v1/clusters')
  const spec = { cluster: clusters.data[0].id, subject: { kind: 'TENANT' }, mode: 'SHADOW', limits: { ingress_bytes_per_second: 5_242_880, requests_per_second: 200, storage_bytes: 53_687_091_200 } }
  const quota = await ask(see.page, '/v1/quotas?wait=30s', 'POST', { metadata: { labels: OURS }, spec })
  return `/quotas/${quota.id}`
}

async function makeAlert(see) {
  const clusters = await ask(see.page, '/v1/clusters')
  const spec = { cluster: clusters.data[0].id, name: 'disk-fills', kind: 'STORAGE', threshold: 80 }
  const rule = await ask(see.page, '/v1/alert-rules', 'POST', { metadata: { labels: OURS }, spec })
  return `/alerts/${rule.id}`
}

/** On a group that there is not. */
async function makeLagAlert(see) {
  const clusters = await ask(see.page, '/v1/clusters')
  const spec = { cluster: clusters.data[0].id, name: 'nightly-is-behind', kind: 'LAG', group: 'nightly-report', topic: 'payments', threshold: 10_000, for_seconds: 300 }
  const rule = await ask(see.page, '/v1/alert-rules', 'POST', { metadata: { labels: OURS }, spec })
  return `/alerts/${rule.id}`
}

const ruled = (see) => named(see, '/v1/contracts', '/contracts', (c) => c.status.latest.has_rules)

async function tryRecords({ page }) {
  await page.getByLabel('Subject', { exact: true }).fill('refunds-value')
  await page.getByText(/It can be read/).waitFor()
  await page.getByLabel('Records', { exact: true }).fill('{"id": "r-1", "amount": 1250}\n{"id": "r-2", "amount": "12.50"}')
  await page.getByText('1 of 2 records broke the contract.').waitFor()
}

/** What may not follow; nothing is registered. */
async function follow({ page }) {
  await page.getByText(/It can be read/).waitFor()
  await page.getByLabel('Schema', { exact: true }).fill('{"type": "object", "properties": {"amount": {"type": "string"}}, "additionalProperties": false}')
  await page.getByText(/May not follow/).waitFor()
}

async function planVersion({ page, dialog }) {
  await page.getByText(/It can be read/).waitFor()
  await page.getByLabel('Description').fill('Payments, as they are accepted')
  await page.getByRole('button', { name: 'Review' }).click()
  await dialog().getByText('Nothing is done yet').waitFor()
}

async function review({ dialog }) {
  await dialog().getByRole('button', { name: 'Review' }).click()
  await dialog().getByText('Nothing is done yet').waitFor()
}

async function fillTopic({ dialog }) {
  await dialog().getByLabel('Name').fill('refunds')
  await dialog().getByLabel('Partitions').fill('6')
}

async function planOrganization(see) {
  const { dialog } = see
  await dialog().getByLabel('Name', { exact: true }).fill('southbank')
  await dialog().getByLabel('Shown as').fill('Southbank')
  await review(see)
}

async function makePlane({ page, dialog }) {
  await dialog().getByLabel('Name').fill(PLANE)
  await dialog().getByRole('button', { name: 'Review' }).click()
  await dialog().getByRole('button', { name: 'Create data plane' }).click()
  await dialog().getByText('waiting for the command to run').waitFor()
  await cover(page)
}

async function makeKey({ page, dialog }) {
  for (const label of ['Service account', 'Cluster']) {
    const select = dialog().getByLabel(label)
    await select.locator('option:not([value=""])').first().waitFor({ state: 'attached' })
    await select.selectOption({ index: 1 })
  }
  await dialog().getByLabel('Description').fill(KEY_NOTE)
  await dialog().getByRole('button', { name: 'Review' }).click()
  await dialog().getByRole('button', { name: 'Create key' }).click()
  await dialog().getByText('only time that the secret is shown').waitFor()
  await dialog().getByRole('tabpanel').waitFor()
  await cover(page)
}

/** One-time secrets do not belong in a repository, even those that no longer open anything. */
function cover(page) {
  return page.evaluate(() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let node = texts.nextNode(); node; node = texts.nextNode()) node.nodeValue = node.nodeValue.replace(/(weir[a-z]_)\w+/g, (_, kind) => kind + '•'.repeat(24))
  })
}

async function search({ page }) {
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: 'Search pages and objects' }).fill('pay')
  await page.getByRole('option').first().waitFor()
}

async function cleanUp({ page }) {
  const made = [['/v1/data-planes', (o) => o.spec.name === PLANE], ['/v1/api-keys', (o) => o.spec.description === KEY_NOTE], ['/v1/quotas', (o) => o.metadata.labels.for === OURS.for], ['/v1/alert-rules', (o) => o.metadata.labels.for === OURS.for]]
  for (const [api, isOurs] of made) {
    const { data = [] } = await ask(page, api)
    for (const one of data.filter(isOurs)) await ask(page, `${api}/${one.id}`, 'DELETE')
  }
}
