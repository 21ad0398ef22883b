// The weight of the console and what its built files may not contain. Builds into a folder of its own.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

const FIRST_LOAD_MAX = 170 * 1024
// Rooms are loaded when they are entered: this grows with their number, by what each may cost.
const ALL_SCRIPTS_MAX = 302 * 1024
const STYLES_MAX = 12 * 1024

let out: string
let names: string[]
const read = (name: string) => readFileSync(join(out, name))
const gz = (wanted: string[]) => wanted.reduce((sum, name) => sum + gzipSync(read(name)).length, 0)

beforeAll(async () => {
  // The test runner's own mode would build React for development.
  vi.stubEnv('NODE_ENV', 'production')
  out = mkdtempSync(join(tmpdir(), 'weir-console-'))
  await build({ mode: 'production', logLevel: 'error', build: { outDir: out, emptyOutDir: true } })
  names = readdirSync(join(out, 'assets')).map((name) => `assets/${name}`)
}, 60_000)
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(out, { recursive: true, force: true })
})

test('scripts and styles stay within their budget', () => {
  expect(gz(names.filter((n) => n.endsWith('.js')))).toBeLessThan(ALL_SCRIPTS_MAX)
  expect(gz(names.filter((n) => n.endsWith('.css')))).toBeLessThan(STYLES_MAX)
})

test('the first page needs little', () => {
  const html = read('index.html').toString()
  const first = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map((m) => m[1]!)
  expect(first.length).toBeGreaterThan(0)
  expect(gz(first)).toBeLessThan(FIRST_LOAD_MAX)
})

test('nothing in it needs a laxer content security policy', () => {
  const html = read('index.html').toString()
  expect(html).not.toMatch(/<script(?![^>]*src=)[^>]*>/)
  expect(html).not.toMatch(/<style|style="|\son[a-z]+="/)
  for (const name of names) expect(name).not.toMatch(/\.map$/)
})

test('the mock is not part of it', () => {
  for (const name of names.filter((n) => n.endsWith('.js'))) expect(read(name).toString()).not.toContain('weir-mock-api')
})
