// Chromium through playwright-core, without a browser download: what the browser test and the screenshots share.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
export const WIDE = { width: 1280, height: 860 }
export const NARROW = { width: 390, height: 844 }

export async function openBrowser() {
  const profile = mkdtempSync(join(tmpdir(), 'weir-browser-'))
  const browser = await chromium.launch({ executablePath: process.env.WEIR_CHROMIUM || '/usr/bin/chromium', args: FLAGS })
  const close = async () => {
    await browser.close()
    rmSync(profile, { recursive: true, force: true })
  }
  // Without motion: a form that still fades in is a fault of contrast to axe, and one that slides in is wider than the screen.
  const context = (options) => browser.newContext({ reducedMotion: 'reduce', ...options })
  return { browser, context, close }
}

export async function signIn(page, { email, password }) {
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: /: account$/ }).waitFor()
}

/** No skeleton is left, and the dialog that the address asks for is open: the page shows what it has to show. */
export async function settled(page) {
  const shown = () => document.querySelector('h1') && !document.querySelector('.skeleton')
    && (!new URLSearchParams(location.search).has('do') || document.querySelector('[role=dialog], dialog[open]'))
  await page.waitForFunction(shown, undefined, { timeout: 15_000 })
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** No complaint of axe about the page as it is. */
export async function axe(page, what) {
  await page.evaluate(`${AXE};0`)
  const found = await page.evaluate(async () => {
    const result = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
    return result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target.join(' ')} (${n.failureSummary.split('\n')[1]?.trim()})`).slice(0, 3).join(' | ')}`)
  })
  assert.deepEqual(found, [], `axe on ${what}`)
}
