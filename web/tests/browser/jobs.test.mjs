// Jobs in SQL in the console against a running stack, on a wide and on a narrow screen: the one that runs is looked at; another is
// written, refused where it is wrong, planned, changed and deleted. It stands, so that it takes no compute unit from the one that runs.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { axe, NARROW, openBrowser, settled, signIn, WIDE } from './harness.mjs'
import { CONSOLE, member } from './target.mjs'

const RUN = Date.now().toString(36).slice(-6)
// An agent has to act.
const AGENT_WAIT_MS = 90_000
// As the story makes them.
const [CLUSTER, POOL, JOB] = ['cards', 'windows', 'busy-cards']

let chromium
before(async () => { chromium = await openBrowser() })
after(async () => { await chromium?.close() })

const only = process.env.WEIR_E2E_SCREEN
for (const [screen, viewport] of [['1280', WIDE], ['390', NARROW]]) {
  if (only && only !== screen) continue
  describe(`jobs at ${screen} px`, { concurrency: 1 }, () => journeys(screen, viewport))
}

function journeys(screen, viewport) {
  const name = `sql-${RUN}-${screen}`
  const complaints = []
  let page
  let context

  before(async () => {
    context = await chromium.context({ viewport })
    page = await context.newPage()
    page.setDefaultTimeout(20_000)
    page.on('pageerror', (error) => complaints.push(`page error: ${error.message}`))
    page.on('console', (message) => { if (message.type() === 'error' && !/status of (401|404|409|422|503)/.test(message.text())) complaints.push(message.text()) })
    await page.goto(CONSOLE)
    await signIn(page, member)
  })
  after(async () => { await context?.close() })

  const open = async (path) => {
    await page.goto(`${CONSOLE}${path}`)
    await settled(page)
  }
  const dialog = () => page.getByRole('dialog')
  const review = () => dialog().getByRole('button', { name: 'Review' }).click()
  const fits = async (what) => {
    await axe(page, what)
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    assert.ok(beyond <= 0, `${what} is wider than the screen by ${beyond} px`)
  }
  /** The id of the only object of a name. */
  const idOf = (path, wanted) => page.evaluate(async ([path, wanted]) => {
    const { data } = await (await fetch(path)).json()
    return data.find((it) => it.spec.name === wanted)?.id
  }, [path, wanted])
  const choose = async (label, id) => {
    assert.ok(id, `there is nothing to choose for ${label}`)
    const select = dialog().getByLabel(label, { exact: true })
    await select.locator(`option[value="${id}"]`).waitFor({ state: 'attached' })
    await select.selectOption(id)
  }
  const openJob = async (wanted) => {
    await open('/jobs')
    await page.locator('td:first-child, .card-title').getByRole('link', { name: wanted, exact: true }).click()
    await page.getByRole('heading', { name: wanted, level: 1 }).waitFor()
    await settled(page)
  }
  const statement = () => dialog().getByLabel('Statement')

  test('the job that runs shows its statement, its tables, and how it goes', async () => {
    await openJob(JOB)
    await page.getByRole('heading', { name: 'What it does' }).waitFor()
    await page.getByLabel('statement', { exact: true }).filter({ hasText: 'TUMBLE(TABLE paid' }).waitFor()
    await page.getByText('at, waits 15 min for late ones').waitFor()
    await page.locator('.facts > div').filter({ hasText: 'Event time is at' }).waitFor()
    await fits('job in SQL')
    await page.getByRole('link', { name: 'Workers', exact: true }).click()
    await page.getByText('the subtasks of each vertex').waitFor()
  })

  test('the list and the form hold up under axe, and nothing is cut', async () => {
    await open('/jobs')
    await fits('/jobs')
    await open('/jobs?do=create')
    await fits('job form')
    await dialog().getByRole('radio', { name: /^SQL/ }).check()
    await fits('job form in SQL')
  })

  test('what is missing is said at its place', async () => {
    await review()
    await dialog().locator('.problems').getByText('Write a statement').waitFor()
    assert.equal(await dialog().getByText('Choose a topic', { exact: true }).count(), 2, 'of the source and of the sink')
  })

  test('the example fits the tables that are chosen; a type that is none is refused at its column', async () => {
    const cluster = await idOf('/v1/clusters', CLUSTER)
    await choose('Cluster', cluster)
    await dialog().getByLabel('Name', { exact: true }).fill(name)
    await choose('Compute pool', await idOf('/v1/compute-pools', POOL))
    await choose('Service account', await idOf('/v1/service-accounts', JOB))
    await dialog().getByLabel('What is wished').selectOption('STOPPED')
    await dialog().getByRole('button', { name: 'Insert an example' }).click()
    await choose('Reads', await idOf(`/v1/topics?cluster=${cluster}&page_size=1000`, 'payments'))
    await choose('Writes', await idOf(`/v1/topics?cluster=${cluster}&page_size=1000`, JOB))
    const type = dialog().getByLabel('Type of column 2').first()
    await type.fill('BIGNIT')
    await review()
    await dialog().locator('.program-columns .field-error').filter({ hasText: 'is no type of a column' }).waitFor()
    assert.equal(await type.getAttribute('aria-invalid'), 'true')
    await fits('job form with a fault')
    await type.fill('BIGINT')
  })

  test('a statement that jobs may not make is refused with its line, and the line is found', async () => {
    const good = await statement().inputValue()
    await statement().fill(`${good};\nDROP TABLE payments`)
    await review()
    await dialog().getByRole('button', { name: 'Line 7, column 1' }).click()
    assert.equal(await statement().evaluate((area) => area.value.slice(area.selectionStart)), 'DROP TABLE payments')
    await statement().fill(good)
  })

  test('as JSON it is the same program, and it is made through its plan', async () => {
    await dialog().getByRole('button', { name: 'Edit as JSON' }).click()
    const program = JSON.parse(await dialog().getByLabel('Program, as JSON').inputValue())
    assert.deepEqual([program.kind, program.sinks[0].key, program.sources[0].event_time.column], ['SQL', ['card'], 'at'])
    await fits('program as JSON')
    await dialog().getByRole('button', { name: 'Edit as a form' }).click()
    await review()
    await dialog().getByText('1 change. Nothing is done yet.').waitFor()
    await fits('plan of a job')
    await dialog().getByRole('button', { name: 'Create job' }).click()
    await dialog().waitFor({ state: 'detached' })
    await openJob(name)
    await page.locator('.object-line [data-phase=STOPPED]').waitFor({ timeout: AGENT_WAIT_MS })
  })

  test('another statement is another version, and the two are compared', async () => {
    await page.getByRole('button', { name: 'Edit', exact: true }).click()
    await statement().fill((await statement().inputValue()).replace('> 10', '> 20'))
    await review()
    await dialog().getByRole('button', { name: 'Save changes' }).click()
    await dialog().waitFor({ state: 'detached' })
    await page.getByRole('link', { name: 'Versions', exact: true }).click()
    await page.locator('[data-row="2"]').getByRole('button', { name: 'Show' }).click()
    await dialog().locator('.line-diff ins').filter({ hasText: '> 20' }).waitFor()
    assert.match(await dialog().locator('.line-diff del').innerText(), /> 10/)
    await fits('version of a job')
    await page.keyboard.press('Escape')
  })

  test('it is deleted by typing its name, and nothing failed', async () => {
    await page.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Delete job…' }).click()
    await dialog().getByLabel(/^Type/).fill(name)
    await dialog().getByRole('button', { name: 'Delete job' }).click()
    await dialog().waitFor({ state: 'detached' })
    await page.waitForURL(/\/jobs(\?|$)/)
    assert.deepEqual(complaints, [])
  })
}
