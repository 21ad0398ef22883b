// A key that a certificate opens, on a wide and on a narrow screen: a private key does not leave the page, no secret is made, the hash is shown.
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { axe, NARROW, openBrowser, settled, signIn, WIDE } from './harness.mjs'
import { CONSOLE, kafka, member } from './target.mjs'

const RUN = Date.now().toString(36).slice(-6)

let chromium
before(async () => { chromium = await openBrowser() })
after(async () => { await chromium?.close() })

const only = process.env.WEIR_E2E_SCREEN
for (const [screen, viewport] of [['1280', WIDE], ['390', NARROW]]) {
  if (only && only !== screen) continue
  describe(`certificates at ${screen} px`, { concurrency: 1, skip: !kafka }, () => journey(screen, viewport))
}

function journey(screen, viewport) {
  const name = `certificate-${RUN}-${screen}`
  const sent = []
  let page
  let context

  before(async () => {
    context = await chromium.context({ viewport })
    page = await context.newPage()
    page.setDefaultTimeout(20_000)
    page.on('request', (request) => sent.push(request.postData() ?? ''))
    await page.goto(CONSOLE)
    await signIn(page, member)
  })
  after(async () => { await context?.close() })

  /** For people who look: pictures, where a folder is given. */
  const shown = async (what) => {
    const folder = process.env.WEIR_E2E_PICTURES
    if (folder) await page.screenshot({ path: `${folder}/certificate-${what}.png` })
  }

  test('a key is opened by a certificate', async () => {
    const dialog = page.getByRole('dialog')
    const certificate = dialog.getByLabel('Client certificate')
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const pem = pair.publicKey.export({ type: 'spki', format: 'pem' })
    const hash = createHash('sha256').update(pair.publicKey.export({ type: 'spki', format: 'der' })).digest('base64')
    await page.goto(`${CONSOLE}/api-keys?do=create`)
    await settled(page)
    await dialog.getByLabel('Service account').selectOption(kafka.principal)
    assert.equal(await certificate.count(), 0, 'the API is opened by a secret')
    await dialog.getByLabel('Cluster').selectOption(kafka.cluster)
    await certificate.fill(pem + pair.privateKey.export({ type: 'pkcs8', format: 'pem' }))
    await dialog.getByRole('button', { name: 'Review' }).click()
    await dialog.getByText('This holds a private key').waitFor()
    await axe(page, 'a private key')
    await certificate.fill(pem)
    await dialog.getByLabel('Description').fill(name)
    await dialog.getByRole('button', { name: 'Review' }).click()
    await dialog.getByRole('button', { name: 'Create key' }).click()
    await dialog.getByText('signs in with it alone').waitFor()
    await dialog.getByText(hash).waitFor()
    await dialog.getByRole('tab', { name: 'librdkafka' }).click()
    assert.match(await dialog.getByRole('tabpanel').textContent(), /security\.protocol=ssl/)
    assert.equal(await dialog.locator('[data-secret]').count(), 0)
    await axe(page, 'a key by certificate')
    await shown(`made-${screen}`)
    await dialog.getByRole('button', { name: 'Done' }).click()
    await dialog.waitFor({ state: 'detached' })
    await page.locator('[data-row]').filter({ hasText: name }).getByRole('link').first().click()
    await page.getByText(hash).waitFor()
    await shown(`key-${screen}`)
    assert.ok(!sent.some((body) => body.includes('PRIVATE KEY')), 'it never left the page')
    const title = await page.getByRole('heading', { level: 1 }).filter({ hasText: 'key_' }).textContent()
    await page.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Delete API key…' }).click()
    await dialog.getByLabel(/^Type/).fill(title)
    await dialog.getByRole('button', { name: 'Delete API key' }).click()
    await dialog.waitFor({ state: 'detached' })
  })
}
