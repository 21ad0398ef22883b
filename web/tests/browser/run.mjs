// Runs the browser journeys and prints their sum; ends with a failure if one failed.
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

const files = ['./journeys.test.mjs', './limits.test.mjs', './certificates.test.mjs', './contracts.test.mjs', './jobs.test.mjs'].map((name) => fileURLToPath(new URL(name, import.meta.url)))
let passed = 0
let failed = 0
const stream = run({ files, concurrency: 1 })
const isCase = (event) => event.nesting > 0 && event.details?.type !== 'suite' && event.skip === undefined
stream.on('test:pass', (event) => { if (isCase(event)) passed += 1 })
stream.on('test:fail', (event) => { if (isCase(event)) failed += 1 })
// A file or a hook that fails is no case, and must not look green.
let broken = false
stream.on('test:fail', () => { broken = true })
stream.compose(spec).pipe(process.stdout)
stream.once('end', () => {
  if (failed === 0 && (broken || passed === 0)) failed = 1
  process.exitCode = failed === 0 ? 0 : 1
  process.on('exit', () => console.log(`${passed} passed, ${failed} failed`))
})
