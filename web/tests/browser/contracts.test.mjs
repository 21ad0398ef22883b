// Contracts in the console against a running stack, on a wide and on a narrow screen: written, judged while they are written,
// planned, registered, refused; records that are tried leave the browser by no request.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { axe, NARROW, openBrowser, settled, signIn, WIDE } from './harness.mjs'
import { CONSOLE, member } from './target.mjs'

const RUN = Date.now().toString(36).slice(-6)
const SECRET = `sample-${RUN}-never-sent`
const schema = (...names) => JSON.stringify({ type: 'object', properties: Object.fromEntries(names.map((name) => [name, { type: 'integer' }])), required: names, additionalProperties: false }, null, 2)

let chromium
before(async () => { chromium = await openBrowser() })
after(async () => { await chromium?.close() })

const only = process.env.WEIR_E2E_SCREEN
for (const [screen, viewport] of [['1280', WIDE], ['390', NARROW]]) {
  if (only && only !== screen) continue
  describe(`contracts at ${screen} px`, { concurrency: 1 }, () => journeys(screen, viewport))
}

function journeys(screen, viewport) {
  const environment = `con-${RUN}-${screen}`
  const subject = `payments-${RUN}-${screen}-value`
  const rule = `owned ${RUN} ${screen}`
  const complaints = []
  const sent = []
  let page
  let context

  before(async () => {
    context = await chromium.context({ viewport })
    page = await context.newPage()
    page.setDefaultTimeout(20_000)
    page.on('pageerror', (error) => complaints.push(`page error: ${error.message}`))
    page.on('console', (message) => { if (message.type() === 'error' && !/status of (401|404|409|422|503)/.test(message.text())) complaints.push(message.text()) })
    page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`))
    await page.goto(`${CONSOLE}/environments?do=create`)
    await signIn(page, member)
    await dialog().getByLabel('Name').fill(environment)
    await apply('Create environment')
    await dialog().waitFor({ state: 'detached' })
  })
  after(async () => { await context?.close() })

  const dialog = () => page.getByRole('dialog')
  const apply = async (act) => {
    await dialog().getByRole('button', { name: 'Review' }).click()
    await dialog().getByRole('button', { name: act }).click()
  }
  const open = async (path) => {
    await page.goto(`${CONSOLE}${path}`)
    await settled(page)
  }
  const area = () => page.getByLabel('Schema', { exact: true })
  const side = () => page.getByRole('complementary', { name: 'Live checks' })
  const review = () => page.getByRole('button', { name: 'Review' }).click()
  const fits = async (what) => {
    await axe(page, what)
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    assert.ok(beyond <= 0, `${what} is wider than the screen by ${beyond} px`)
  }
  const openContract = async () => {
    await open(`/contracts?q=${subject}`)
    await page.locator('[data-row]').getByRole('link', { name: subject, exact: true }).click()
    await page.getByRole('heading', { name: subject, level: 1 }).waitFor()
  }
  const confirmDelete = async (what, typed) => {
    await page.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: `Delete ${what}…` }).click()
    await dialog().getByLabel(/^Type/).fill(typed)
    await dialog().getByRole('button', { name: `Delete ${what}` }).click()
    await dialog().waitFor({ state: 'detached' })
  }

  test('a fault of the schema is shown where it is, while it is typed', async () => {
    await open('/contracts')
    await page.getByRole('link', { name: 'New contract' }).first().click()
    await page.getByLabel('Environment').selectOption({ label: environment })
    await page.getByLabel('Subject', { exact: true }).fill(subject)
    await area().fill('{\n  "type": "object",\n  oops\n}')
    await page.getByRole('button', { name: /^Line 3, column \d+$/ }).click()
    assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'TEXTAREA', 'the caret is at the fault')
    await fits('a schema with a fault')
    await area().fill(schema('amount'))
    await side().getByText('It can be read: 1 field.').waitFor()
  })

  test('records are judged line by line, by rules too, and are sent nowhere', async () => {
    await page.getByRole('button', { name: 'Add rule' }).click()
    await page.getByLabel('Name', { exact: true }).fill('positive')
    await page.getByLabel('Expression').fill('message.amount > 0')
    await side().getByLabel('Records', { exact: true }).fill(`{"amount": 7}\n{"amount": -1}\n{"amount": "${SECRET}"}\nnonsense`)
    await side().getByText('3 of 4 records broke the contract.').waitFor()
    const verdicts = side().getByRole('list', { name: 'Verdicts' }).locator('> li')
    assert.match(await verdicts.nth(0).innerText(), /valid/)
    assert.match(await verdicts.nth(1).innerText(), /positive/)
    await fits('verdicts')
    await page.getByLabel('Expression').fill('message.amont > 0')
    await page.getByText(/no field `amont`/).waitFor()
    await page.getByLabel('Expression').fill('message.amount > 0')
  })

  test('it is registered through its plan', async () => {
    await page.getByLabel('Owner').fill('cards')
    await page.getByRole('textbox', { name: /^Freshness/ }).fill('5')
    await page.getByLabel('Tags of $.amount').fill('PII')
    await review()
    await dialog().getByText('It would be version 1. Nothing is done yet.').waitFor()
    await fits('the plan of a contract')
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Register version 1', 'the focus is on what is next')
    await dialog().getByRole('button', { name: 'Register version 1' }).click()
    await page.getByRole('heading', { name: subject, level: 1 }).waitFor()
    await page.getByText('service_level.freshness=5 m').waitFor()
    await page.locator('[data-row]').filter({ hasText: '$.amount' }).filter({ hasText: 'PII' }).waitFor()
    await fits('a contract')
  })

  test('whoever leaves the editor is asked first', async () => {
    await page.getByRole('link', { name: 'New version' }).click()
    await area().fill(schema('amount', 'currency'))
    await page.getByRole('navigation', { name: 'Where this is' }).getByRole('link', { name: 'Contracts' }).click()
    await dialog().getByRole('button', { name: 'Stay' }).click()
    assert.match(await area().inputValue(), /currency/)
  })

  test('what may not follow is said at once, and refused in the plan', async () => {
    await side().getByText(/May not follow version 1/).waitFor()
    await review()
    await dialog().getByText(/^It would be refused/).waitFor()
    assert.equal(await dialog().getByRole('button', { name: /^Register/ }).count(), 0)
    await fits('a plan that is refused')
    await dialog().getByRole('button', { name: 'Back to the editor' }).click()
  })

  test('a lint rule is made, and holds for the next version', async () => {
    await page.goto('about:blank')
    await open('/contract-lint-rules?do=create')
    await dialog().getByLabel('Name', { exact: true }).fill(rule)
    await dialog().getByLabel('Environment').selectOption({ label: environment })
    await dialog().getByLabel('Expression', { exact: true }).fill('contract.owner !=')
    await dialog().getByLabel('What to say').fill('Say whose it is.')
    await dialog().getByLabel('Mode').selectOption('ENFORCE')
    await dialog().getByRole('button', { name: 'Review' }).click()
    await dialog().locator('.field-error').first().waitFor()
    await dialog().getByLabel('Expression', { exact: true }).fill('contract.owner != ""')
    await apply('Create lint rule')
    await page.locator('[data-row]').getByRole('link', { name: rule, exact: true }).waitFor()
    await fits('lint rules')
    await openContract()
    await page.getByRole('link', { name: 'New version' }).click()
    await page.getByLabel('Owner').fill('')
    await review()
    await dialog().getByText('Say whose it is.').waitFor()
    await dialog().getByRole('button', { name: 'Back to the editor' }).click()
    await page.getByLabel('Owner').fill('payments')
    await review()
    await dialog().getByRole('button', { name: 'Register version 2' }).click()
    await page.getByText(/^owner=payments/m).waitFor()
  })

  test('records can be tried on a version that stands', async () => {
    await openContract()
    await page.getByLabel('Records', { exact: true }).fill('{"amount": 7}\n{"amount": -1}')
    await page.getByText('1 of 2 records broke the contract.').waitFor()
  })

  test('lineage and service levels hold up', async () => {
    await page.getByRole('link', { name: 'Lineage', exact: true }).click()
    await settled(page)
    await page.getByRole('heading', { name: 'Lineage' }).waitFor()
    await fits('the lineage of a contract')
    await open('/topics')
    await page.locator('[data-row]').getByRole('link').first().click()
    await page.getByRole('link', { name: 'Lineage', exact: true }).click()
    await settled(page)
    await page.getByRole('heading', { name: 'Lineage' }).waitFor()
    await fits('the lineage of a topic')
    await page.getByRole('link', { name: 'Contract', exact: true }).click()
    await page.getByRole('heading', { name: 'Service levels' }).waitFor()
    await settled(page)
    await fits('service levels')
  })

  // The environment stays: a subject that is deleted is kept until the registry is told to forget it.
  test('contract and lint rule are deleted', async () => {
    await openContract()
    await confirmDelete('contract', subject)
    await open('/contract-lint-rules')
    await page.locator('[data-row]').getByRole('link', { name: rule, exact: true }).click()
    await page.getByRole('heading', { name: rule, level: 1 }).waitFor()
    await confirmDelete('lint rule', rule)
  })

  test('no sample left the browser, nothing was stored, nothing failed', async () => {
    assert.deepEqual(sent.filter((each) => each.includes(SECRET)), [])
    assert.doesNotMatch(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage])), new RegExp(SECRET))
    assert.deepEqual(complaints, [])
  })
}
