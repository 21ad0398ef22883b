// Quotas, connections and alerts in the console, on a wide and on a narrow screen: a quota is made in shadow, its use is
// seen within seconds of a real client's traffic, it is edited, enforced and deleted.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { axe, NARROW, openBrowser, settled, signIn, WIDE } from './harness.mjs'
import { CONSOLE, kafka, member } from './target.mjs'

const RUN = Date.now().toString(36).slice(-6)
// An agent has to act, and every live gateway to acknowledge.
const AGENT_WAIT_MS = 90_000
// What people look at follows the traffic within this time.
const SEEN_WITHIN_MS = 10_000

let chromium
before(async () => { chromium = await openBrowser() })
after(async () => { await chromium?.close() })

const only = process.env.WEIR_E2E_SCREEN
for (const [screen, viewport] of [['1280', WIDE], ['390', NARROW]]) {
  if (only && only !== screen) continue
  describe(`limits at ${screen} px`, { concurrency: 1 }, () => journeys(screen, viewport))
}

function journeys(screen, viewport) {
  const name = `limits-${RUN}-${screen}`
  const complaints = []
  let page
  let context
  let account
  let topic

  before(async () => {
    context = await chromium.context({ viewport })
    page = await context.newPage()
    page.setDefaultTimeout(20_000)
    page.on('pageerror', (error) => complaints.push(`page error: ${error.message}`))
    await page.goto(CONSOLE)
    await signIn(page, member)
    account = await made('/v1/service-accounts', { name })
    await made('/v1/role-bindings', { principal: account.id, role: 'DEVELOPER', resource: '*' })
    topic = await made('/v1/topics', { cluster: kafka.cluster, name, partitions: 1 })
  })
  after(async () => {
    if (topic) await call('DELETE', `/v1/topics/${topic.id}`)
    await context?.close()
    assert.deepEqual(complaints, [])
  })

  /** The API as the person who is signed in. */
  const call = (method, path, body) => page.evaluate(async ([method, path, body]) => {
    const session = await (await fetch('/v1/sessions/current')).json()
    const headers = { 'Weir-Csrf': session.csrf_token, 'Content-Type': 'application/json' }
    const answer = await fetch(path, { method, headers, body })
    return { status: answer.status, body: answer.status === 204 ? undefined : await answer.json() }
  }, [method, path, body && JSON.stringify(body)])
  const made = async (path, spec) => {
    const answer = await call('POST', `${path}?wait=30s`, { spec })
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    return answer.body
  }
  const open = async (path) => {
    await page.goto(`${CONSOLE}${path}`)
    await settled(page)
  }
  const dialog = () => page.getByRole('dialog')
  const fact = (label) => page.locator('.facts > div').filter({ hasText: label })
  const apply = async (act) => {
    await dialog().getByRole('button', { name: 'Review' }).click()
    await dialog().getByRole('button', { name: act }).click()
    await dialog().waitFor({ state: 'detached' })
  }
  const phase = (wanted) => page.locator(`.object-line [data-phase=${wanted}]`).waitFor({ timeout: AGENT_WAIT_MS })
  const chooseCluster = async () => {
    const select = dialog().getByLabel('Cluster', { exact: true })
    await select.locator(`option[value="${kafka.cluster}"]`).waitFor({ state: 'attached' })
    await select.selectOption(kafka.cluster)
  }
  const confirmDelete = async (what, typed) => {
    await page.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: `Delete ${what}…` }).click()
    await dialog().getByLabel(/^Type/).fill(typed)
    await dialog().getByRole('button', { name: `Delete ${what}` }).click()
    await dialog().waitFor({ state: 'detached' })
  }

  test('a quota is made in shadow, for one service account', async () => {
    await open('/quotas?do=create')
    await chooseCluster()
    await dialog().getByLabel('Kind of subject').selectOption('PRINCIPALS')
    await dialog().getByLabel(name, { exact: true }).check()
    await dialog().getByLabel('Produced bytes a second').fill('as much as it likes')
    await dialog().getByRole('button', { name: 'Review' }).click()
    await dialog().locator('.field-error').filter({ hasText: 'Produced bytes a second' }).waitFor()
    await dialog().getByLabel('Produced bytes a second').fill('64 KiB')
    await axe(page, 'quota form')
    await apply('Create quota')
    await page.locator('[data-row]').filter({ hasText: name }).getByRole('link').first().click()
    await page.getByRole('heading', { level: 1 }).filter({ hasText: /^quota_/ }).waitFor()
    await phase('READY')
    await fact('Mode').filter({ hasText: 'Shadow' }).waitFor()
    await fact('Reported').filter({ hasText: 'nobody used it' }).waitFor()
    await axe(page, 'quota')
  })

  test('its use is seen within ten seconds of the traffic: who, how much, and how long it would have waited', async () => {
    const key = await made('/v1/api-keys', { service_account: account.id, cluster: kafka.cluster })
    await produce(key.secret, name, 2048)
    const ended = Date.now()
    await fact('Would have been').filter({ hasText: /[1-9]/ }).waitFor({ timeout: SEEN_WITHIN_MS })
    const who = page.getByRole('table', { name: 'Who uses it' }).or(page.getByRole('list', { name: 'Who uses it' }))
    await who.getByText(name).first().waitFor({ timeout: SEEN_WITHIN_MS - (Date.now() - ended) })
    assert.ok(Date.now() - ended <= SEEN_WITHIN_MS, `${Date.now() - ended} ms`)
    await axe(page, 'quota in use')
  })

  test('it is enforced by an edit, and goes', async () => {
    const title = await page.getByRole('heading', { level: 1 }).textContent()
    await page.getByRole('button', { name: 'Edit' }).click()
    await dialog().getByLabel('What it does').selectOption('ENFORCE')
    await dialog().getByRole('button', { name: 'Review' }).click()
    await dialog().locator('ins').filter({ hasText: 'ENFORCE' }).waitFor()
    await dialog().getByRole('button', { name: 'Save changes' }).click()
    await dialog().waitFor({ state: 'detached' })
    await fact('Mode').filter({ hasText: 'Enforce' }).waitFor()
    await confirmDelete('quota', title)
    await open('/quotas')
    await page.locator('[data-row]').filter({ hasText: name }).waitFor({ state: 'detached' })
  })

  test('who is connected is listed with the cluster', async () => {
    await open(`/clusters/${kafka.cluster}?tab=connections`)
    await page.getByRole('heading', { name: 'Connections' }).waitFor()
    await page.getByText('Nobody is connected').or(page.locator('[data-row]').first()).first().waitFor()
    await axe(page, 'connections')
  })

  test('an alert rule is made, looked at and deleted', async () => {
    await open('/alerts?do=create')
    await chooseCluster()
    await dialog().getByLabel('Name').fill(name)
    await dialog().getByLabel('What is watched').selectOption('STORAGE')
    await dialog().getByLabel('Threshold').fill('101')
    await dialog().getByRole('button', { name: 'Review' }).click()
    await dialog().locator('.field-error, .failure').first().waitFor()
    await dialog().getByLabel('Threshold').fill('80')
    await apply('Create alert rule')
    await page.locator('td:first-child, .card-title').getByRole('link', { name, exact: true }).click()
    await fact('State').locator('[data-phase=OK]').waitFor({ timeout: AGENT_WAIT_MS })
    await fact('Fires at').filter({ hasText: 'storage at 80 % or more' }).waitFor()
    await axe(page, 'alert')
    await confirmDelete('alert rule', name)
  })

  test('a rule on the lag of a group that nobody has heard of says that there is no data, and why', async () => {
    const rule = `${name}-lag`
    await open('/alerts?do=create')
    await chooseCluster()
    await dialog().getByLabel('Name').fill(rule)
    assert.equal(await dialog().getByLabel('Consumer group').count(), 0, 'only a rule of lag asks for a group')
    await dialog().getByLabel('What is watched').selectOption('LAG')
    await dialog().getByLabel('Threshold').fill('1000')
    await dialog().getByRole('button', { name: 'Review' }).click()
    await dialog().locator('.field-error').filter({ hasText: 'Consumer group is needed' }).waitFor()
    await dialog().getByLabel('Consumer group').fill(`nobody-${name}`)
    await axe(page, 'alert form')
    await apply('Create alert rule')
    await page.locator('td:first-child, .card-title').getByRole('link', { name: rule, exact: true }).click()
    await fact('State').locator('[data-phase=NO_DATA]').waitFor({ timeout: AGENT_WAIT_MS })
    await fact('Why').filter({ hasText: 'no such group' }).waitFor({ timeout: AGENT_WAIT_MS })
    await fact('Fires at').filter({ hasText: `lag of nobody-${name} at 1,000 records or more` }).waitFor()
    await axe(page, 'alert without data')
    await confirmDelete('alert rule', rule)
  })

  for (const path of ['/quotas', '/quotas?do=create', '/alerts', '/alerts?do=create']) {
    test(`${path} holds up under axe, and nothing is cut`, async () => {
      await open(path)
      await axe(page, path)
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      assert.ok(beyond <= 0, `wider than the screen by ${beyond} px`)
    })
  }
}

/** So many kibibytes, by a stock client. */
function produce({ username, password }, topic, kibibytes) {
  const settings = ['security.protocol=sasl_plaintext', 'sasl.mechanisms=PLAIN', `bootstrap.servers=${kafka.bootstrap}`, `sasl.username=${username}`, `sasl.password=${password}`]
  const kcat = spawn('kcat', ['-q', '-P', '-p', '0', '-t', topic, ...settings.flatMap((it) => ['-X', it])], { stdio: ['pipe', 'ignore', 'inherit'] })
  kcat.stdin.end(`${'x'.repeat(1023)}\n`.repeat(kibibytes))
  return new Promise((resolve, reject) => {
    kcat.once('error', reject)
    kcat.once('exit', (code) => { if (code === 0) resolve(); else reject(new Error(`kcat ended with ${code}`)) })
  })
}
