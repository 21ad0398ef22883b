// Whole journeys through the console against a running stack, on a wide and on a narrow screen: what a person does to get
// a topic and a key, what they see of it, and that every page holds up under axe and the content security policy.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { axe, NARROW, openBrowser, settled, signIn, WIDE } from './harness.mjs'
import { CONSOLE, member, operator } from './target.mjs'

const RUN = Date.now().toString(36).slice(-6)
// An agent has to act, and every live gateway to acknowledge.
const AGENT_WAIT_MS = 90_000
const ASKS_AN_AGENT = /\/(extent|groups|connections|adoption)\b/

let chromium
before(async () => { chromium = await openBrowser() })
after(async () => { await chromium?.close() })

const only = process.env.WEIR_E2E_SCREEN
for (const [screen, viewport] of [['1280', WIDE], ['390', NARROW]]) {
  if (only && only !== screen) continue
  describe(`at ${screen} px`, { concurrency: 1 }, () => journeys(screen, viewport))
}

function journeys(screen, viewport) {
  const name = `e2e-${RUN}-${screen}`
  const complaints = []
  let page
  let context

  before(async () => {
    context = await chromium.context({ viewport, acceptDownloads: true })
    page = await context.newPage()
    page.setDefaultTimeout(20_000)
    page.on('pageerror', (error) => complaints.push(`page error: ${error.message}`))
    page.on('console', (message) => {
      // A refused sign-in and the look for a session before it are answered with 401: that is not a fault.
      if (message.type() !== 'error' || /status of (401|404|409|412|422)/.test(message.text())) return
      // What an agent is asked at the moment may come too late on a machine at its limits; the page then says so, and offers to ask again.
      if (/status of 503/.test(message.text()) && ASKS_AN_AGENT.test(message.location().url)) return
      complaints.push(`${message.text()} ${message.location().url}`)
    })
  })
  after(async () => { await context?.close() })

  const open = async (path) => {
    await page.goto(`${CONSOLE}${path}`)
    await settled(page)
  }
  const dialog = () => page.getByRole('dialog')
  const apply = async (act) => {
    await dialog().getByRole('button', { name: 'Review' }).click()
    await dialog().getByRole('button', { name: act }).click()
  }
  // The first cell, or the title of the card, is the object's own name; other cells may name its kin.
  const row = (text) => page.locator('[data-row]').filter({ has: named(text) })
  const named = (text) => page.locator('td:first-child, .card-title').getByRole('link', { name: text, exact: true })
  /** Seen without scrolling sideways. */
  const within = async (part) => {
    const box = await part.boundingBox()
    assert.ok(box && box.x >= 0 && box.x + box.width <= viewport.width, `cut: ${JSON.stringify(box)}`)
  }
  const phase = (wanted) => page.locator(`.object-line [data-phase=${wanted}]`).waitFor({ timeout: AGENT_WAIT_MS })
  const confirmDelete = async (what, typed) => {
    await page.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: `Delete ${what}…` }).click()
    await dialog().getByLabel(/^Type/).fill(typed)
    await dialog().getByRole('button', { name: `Delete ${what}` }).click()
    await dialog().waitFor({ state: 'detached' })
  }

  test('a wrong password is refused in words, the right one enters where the address led', async () => {
    await page.goto(`${CONSOLE}/topics`)
    await page.getByLabel('E-mail').fill(member.email)
    await page.getByLabel('Password').fill('certainly not this one')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').filter({ hasText: 'not right' }).waitFor()
    await axe(page, 'sign-in')
    await signIn(page, member)
    assert.equal(new URL(page.url()).pathname, '/topics')
    const cookie = (await context.cookies()).find((c) => c.name === 'weir_session')
    assert.ok(cookie?.httpOnly, 'the session cookie is http-only')
    assert.deepEqual(await page.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)]), [])
  })

  test('an environment is made through its plan', async () => {
    await open('/environments')
    await page.getByRole('button', { name: 'Create environment' }).first().click()
    await dialog().getByLabel('Name').fill('Not A Name')
    await dialog().getByRole('button', { name: 'Review' }).click()
    await dialog().getByText('Lower-case letters').waitFor()
    await dialog().getByLabel('Name').fill(name)
    await dialog().getByRole('button', { name: 'Review' }).click()
    await dialog().getByText('1 change. Nothing is done yet.').waitFor()
    await axe(page, 'plan')
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Create environment', 'the focus is on what is next')
    await dialog().getByRole('button', { name: 'Create environment' }).click()
    await row(name).waitFor()
  })

  test('a taken name is refused by the server, in the plan, at the field', async () => {
    await open('/environments?do=create')
    await dialog().getByLabel('Name').fill(name)
    await dialog().getByRole('button', { name: 'Review' }).click()
    await dialog().locator('.field-error, .failure').first().waitFor()
    await dialog().getByRole('button', { name: 'Cancel' }).click()
  })

  test('a cluster becomes ready and shows its address', async () => {
    await open('/environments')
    await page.getByRole('link', { name, exact: true }).click()
    await page.getByRole('link', { name: 'Create cluster' }).click()
    await dialog().getByLabel('Name').fill(name)
    await chooseFirst(dialog().getByLabel('Runs on'))
    await apply('Create cluster')
    await page.getByRole('link', { name, exact: true }).first().click()
    await page.getByRole('heading', { name, level: 1 }).waitFor()
    await phase('READY')
    const address = await page.locator('.facts').getByRole('code').first().textContent()
    assert.match(address, /:\d+/)
  })

  test('how to connect is shown whole, for every client', async () => {
    await page.getByRole('link', { name: 'Connect', exact: true }).click()
    for (const client of ['librdkafka, kcat', 'Python', 'Go', 'JavaScript', 'Java properties']) {
      await page.getByRole('tab', { name: client }).click()
      await within(page.getByRole('button', { name: `Download ${client} configuration` }))
    }
    await axe(page, 'connect')
    await page.getByRole('link', { name: 'Topics', exact: true }).last().click()
  })

  test('a topic is made, its wish and its truth shown apart, live until it is ready', async () => {
    await page.getByRole('link', { name: 'Create topic' }).click()
    await dialog().getByLabel('Name').fill('payments')
    await chooseNamed(dialog().getByLabel('Cluster'), name)
    await dialog().getByLabel('Partitions').fill('3')
    await apply('Create topic')
    await chooseNamed(page.getByLabel('Cluster', { exact: true }), name)
    await named('payments').click()
    await page.getByRole('heading', { name: 'Asked for' }).waitFor()
    await page.getByRole('heading', { name: 'So far' }).waitFor()
    await phase('READY')
    await page.getByText('Kafka has it as asked for').waitFor()
    await page.getByText('records in log').waitFor()
    await axe(page, 'topic')
  })

  test('the topic grows: the plan shows before and after, the page follows the agent', async () => {
    await page.getByRole('button', { name: 'Edit' }).click()
    await dialog().getByLabel('Partitions').fill('4')
    await dialog().getByLabel('Retention', { exact: true }).fill('12 h')
    await dialog().getByRole('button', { name: 'Review' }).click()
    await dialog().locator('del').filter({ hasText: /^3$/ }).waitFor()
    await dialog().locator('ins').filter({ hasText: /^4$/ }).waitFor()
    await dialog().getByRole('button', { name: 'Save changes' }).click()
    await dialog().waitFor({ state: 'detached' })
    await page.getByText('12 h', { exact: true }).waitFor()
    await page.locator('.facts > div').filter({ hasText: 'Partitions seen' }).filter({ hasText: '4' }).waitFor({ timeout: AGENT_WAIT_MS })
    await phase('READY')
  })

  test('shrinking is refused with the reason', async () => {
    await page.getByRole('button', { name: 'Edit' }).click()
    await dialog().getByLabel('Partitions').fill('2')
    await dialog().getByRole('button', { name: 'Review' }).click()
    await dialog().locator('.field-error, .failure').first().waitFor()
    await dialog().getByRole('button', { name: 'Cancel' }).click()
  })

  test('call and manifest of the topic can be read', async () => {
    await page.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'API call and manifest' }).click()
    const call = await dialog().getByLabel('API call', { exact: true }).textContent()
    assert.match(call, /curl -sS 'http.*\/v1\/topics\/topic_/)
    const manifest = JSON.parse(await dialog().getByLabel('manifest', { exact: true }).textContent())
    assert.equal(manifest.spec.partitions, 4)
    await dialog().getByRole('button', { name: 'Close' }).click()
  })

  test('a service account gets a role and a key; the secret is shown once', async () => {
    await open('/service-accounts?do=create')
    await dialog().getByLabel('Name').fill(name)
    await apply('Create service account')
    await named(name).click()
    await page.getByRole('link', { name: 'Bind role' }).click()
    await dialog().locator('[name=resource]').fill(`environment=${name}/*`)
    await apply('Bind role')
    await dialog().waitFor({ state: 'detached' })
    await open('/service-accounts')
    await named(name).click()
    await page.getByRole('link', { name: 'Create key' }).click()
    await chooseNamed(dialog().getByLabel('Cluster'), name)
    await dialog().getByLabel('Description').fill(name)
    await apply('Create key')
    await dialog().getByText('only time that the secret is shown').waitFor()
    const secret = await dialog().locator('[data-secret] code').textContent()
    assert.match(secret, /^weirs_/)
    await dialog().getByRole('tab', { name: 'Python' }).click()
    assert.ok((await dialog().getByRole('tabpanel').textContent()).includes(secret))
    const [download] = await Promise.all([page.waitForEvent('download'), dialog().getByRole('button', { name: /^Download/ }).click()])
    assert.equal(download.suggestedFilename(), 'consume.py')
    await within(dialog().getByRole('button', { name: /^Download/ }))
    await axe(page, 'secret')
    await page.keyboard.press('Escape')
    await dialog().getByText('only time').waitFor()
    await dialog().getByLabel('I have kept the secret').check()
    await dialog().getByRole('button', { name: 'Done' }).click()
    await dialog().waitFor({ state: 'detached' })
    await open('/api-keys')
    assert.ok(!(await page.content()).includes(secret), 'the secret is gone')
    assert.ok(!page.url().includes(secret))
    await page.reload()
    await settled(page)
    assert.ok(!(await page.content()).includes(secret))
  })

  test('a data plane is installed with a command, and its page waits for the agent', async () => {
    await open('/data-planes?do=create')
    await dialog().getByLabel('Name').fill(name)
    await apply('Create data plane')
    const command = await dialog().getByLabel('enrolment command', { exact: true }).textContent()
    assert.match(command, /weir-agent run .*--token weire_/s)
    await dialog().getByText('waiting for the command to run').waitFor()
    await dialog().getByRole('button', { name: 'Done' }).click()
    await named(name).click()
    await page.getByRole('heading', { name: 'Installation' }).waitFor()
    await axe(page, 'data plane that waits')
    await page.getByRole('button', { name: 'Enrolment command' }).click()
    await dialog().getByRole('button', { name: 'Cancel' }).click()
    await dialog().waitFor({ state: 'detached' })
    await confirmDelete('data plane', name)
  })

  test('a data plane that is connected shows heartbeat, versions and pools', async () => {
    await open('/data-planes')
    await page.locator('[data-row]').filter({ has: page.locator('[data-phase=READY]') }).first().getByRole('link').first().click()
    await page.locator('.facts > div').filter({ hasText: 'Connection' }).filter({ hasText: 'connected' }).waitFor()
    await page.locator('.facts > div').filter({ hasText: 'Kafka version' }).filter({ hasText: /\d+\.\d+/ }).waitFor()
    await page.getByRole('heading', { name: 'Broker pools' }).waitFor()
  })

  test('usage and cost show the totals that the API tells', async () => {
    const answers = page.waitForResponse((r) => r.url().includes('/v1/costs') && r.ok())
    await page.goto(`${CONSOLE}/costs`)
    const report = await (await answers).json()
    await settled(page)
    const total = report.totals[0]
    if (total) assert.equal(await page.locator('[data-figure=total] [title]').getAttribute('title'), `${total.amount} ${total.currency}`)
    await page.getByRole('button', { name: 'Records', exact: true }).click()
    await settled(page)
    await page.locator('[data-figure=records]').waitFor()
    if (report.data.length > 0) {
      await page.getByRole('table', { name: 'Sums by dimension' }).or(page.getByRole('list', { name: 'Sums by dimension' })).waitFor()
      await page.locator('.chart canvas').waitFor()
      await page.locator('.chart-frame').focus()
      await page.keyboard.press('End')
      await page.locator('.readout-time').filter({ hasText: /\d{4}, \d\d:00/ }).waitFor()
    }
  })

  test('the audit page lists what was just done, with before and after', async () => {
    await open('/audit?kind=Topic')
    await page.getByRole('button', { name: 'Update topic' }).first().click()
    await dialog().getByRole('row', { name: /partitions 3 4/ }).waitFor()
    await dialog().getByRole('button', { name: 'Close' }).click()
  })

  test('search finds pages and objects by keyboard', async () => {
    await open('/')
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Search pages and objects' }).fill(`${name} cluster`)
    await page.getByRole('option', { name: new RegExp(name) }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name, level: 1 }).waitFor()
  })

  test('an object that is not there is said so, with the request id', async () => {
    await open('/topics/topic_00000000000000000000000000')
    await page.getByRole('alert').getByText('Request').waitFor()
    await open('/no-such-page')
    await page.getByText('There is no such page').waitFor()
  })

  test('a control plane that does not answer is told from an empty list', async () => {
    await page.route('**/v1/**', (route) => route.abort())
    await page.goto(`${CONSOLE}/topics`)
    await page.getByRole('alert').filter({ hasText: 'does not answer' }).waitFor()
    await page.unroute('**/v1/**')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('heading', { name: 'Topics', level: 1 }).waitFor()
    complaints.splice(0, complaints.length, ...complaints.filter((c) => !c.includes('ERR_FAILED')))
  })

  const PAGES = ['/', '/environments', '/clusters', '/topics', '/contracts', '/cluster-links', '/cluster-links?do=create', '/data-planes', '/grants', '/grants?tab=offered', '/service-accounts', '/api-keys', '/role-bindings', '/quotas', '/quotas?do=create', '/alerts', '/alerts?do=create', '/members', '/costs', '/costs?measure=bytes', '/rate-cards', '/audit', '/topics?do=create', '/no-such-page']
  for (const path of PAGES) {
    test(`${path} holds up under axe, and nothing is cut`, async () => {
      await open(path)
      await axe(page, path)
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      assert.ok(beyond <= 0, `wider than the screen by ${beyond} px`)
    })
  }

  test('dark holds up under axe too', async () => {
    await page.emulateMedia({ colorScheme: 'dark' })
    for (const path of ['/', '/topics', '/costs', '/audit']) {
      await open(path)
      await axe(page, `${path} in dark`)
    }
    await page.emulateMedia({ colorScheme: 'light' })
  })

  test('topic, key, cluster and environment are deleted by typing their names', async () => {
    await open('/clusters')
    await named(name).click()
    await page.getByRole('link', { name: 'payments', exact: true }).click()
    await page.getByRole('heading', { name: 'payments', level: 1 }).waitFor()
    await confirmDelete('topic', 'payments')
    await page.getByText('No topics yet').waitFor({ timeout: AGENT_WAIT_MS })
    await open('/service-accounts')
    await named(name).click()
    await page.getByRole('heading', { name, level: 1 }).waitFor()
    for (const [noun, kind] of [['API key', 'key_'], ['role binding', 'binding_']]) {
      await page.getByRole('link', { name: new RegExp(`^${kind}`) }).first().click()
      const title = await page.getByRole('heading', { level: 1 }).filter({ hasText: kind }).textContent()
      await confirmDelete(noun, title)
      await open('/service-accounts')
      await named(name).click()
      await page.getByRole('heading', { name, level: 1 }).waitFor()
    }
    await confirmDelete('service account', name)
    await open('/clusters')
    await named(name).click()
    await page.getByRole('heading', { name, level: 1 }).waitFor()
    await confirmDelete('cluster', name)
    await open('/environments')
    await named(name).click()
    await page.getByRole('heading', { name, level: 1 }).waitFor()
    await eventually(() => confirmDelete('environment', name))
  })

  if (operator) {
    test('an operator chooses a tenant, and it stays in the address', async () => {
      await page.getByRole('button', { name: /: account$/ }).click()
      await page.getByRole('menuitem', { name: /^Sign out/ }).click()
      await page.getByRole('heading', { name: 'Sign in to Weir' }).waitFor()
      await page.goto(`${CONSOLE}/topics`)
      await signIn(page, operator)
      await page.getByRole('heading', { name: 'Choose a tenant' }).waitFor()
      await axe(page, 'choose a tenant')
      await page.locator('.choices button').first().click()
      await page.getByRole('heading', { name: 'Topics', level: 1 }).waitFor()
      assert.match(page.url(), /tenant=tenant_/)
      for (const path of ['/organizations', '/tenants', '/rate-cards?do=create']) {
        await open(path)
        await axe(page, path)
      }
    })
  }

  test('nothing broke the content security policy or failed in the console', () => {
    assert.deepEqual(complaints, [])
  })
}

async function chooseFirst(select) {
  await select.locator('option:not([value=""])').first().waitFor({ state: 'attached' })
  await select.selectOption({ index: 1 })
}

async function chooseNamed(select, label) {
  await select.locator('option', { hasText: label }).first().waitFor({ state: 'attached' })
  await select.selectOption({ label })
}

/** What waits for an agent is tried until it holds; the last refusal counts. */
async function eventually(act, until = Date.now() + AGENT_WAIT_MS) {
  for (;;) {
    try {
      return await act()
    } catch (error) {
      if (Date.now() > until) throw error
    }
  }
}
