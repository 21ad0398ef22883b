// Contracts judged where they are written: registry's and gateway's own code (crates/contract-engine) as WebAssembly in a worker.
// Samples of records never leave the browser.
import type { Answer, Comparison, Draft, Inspection, Problem, Request, Verdict } from './types.ts'

export type * from './types.ts'

/** Longer than any sound draft takes; the program is fetched and compiled within it, too. */
const PATIENCE_MS = 30_000

/** The draft cannot be read, so that nothing can be said by it. */
export class DraftError extends Error {
  readonly problems: Problem[]
  constructor(problems: Problem[]) {
    super(problems.map((it) => it.message).join('; '))
    this.problems = problems
  }
}

interface Waiting {
  resolve: (answer: string) => void
  reject: (error: Error) => void
  timer: ReturnType<typeof setTimeout>
}

let worker: Worker | undefined
let asked = 0
const waiting = new Map<number, Waiting>()

function stop(reason: string) {
  worker?.terminate()
  worker = undefined
  for (const { reject, timer } of waiting.values()) {
    clearTimeout(timer)
    reject(new Error(reason))
  }
  waiting.clear()
}

function start(): Worker {
  const it = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
  it.onmessage = ({ data }: MessageEvent<{ id: number; answer?: string; error?: string }>) => {
    const entry = waiting.get(data.id)
    if (!entry) return
    waiting.delete(data.id)
    clearTimeout(entry.timer)
    if (data.answer === undefined) entry.reject(new Error(data.error ?? 'the contract engine did not answer'))
    else entry.resolve(data.answer)
  }
  it.onerror = () => stop('The contract engine could not be loaded. Reload the page.')
  return it
}

function ask(request: Request): Promise<string> {
  worker ??= start()
  const id = ++asked
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => stop('The contract engine took too long. Try a smaller schema or fewer records.'),
      PATIENCE_MS,
    )
    waiting.set(id, { resolve, reject, timer })
    worker?.postMessage({ id, request: JSON.stringify(request) })
  })
}

async function answered<T>(request: Request): Promise<T> {
  const answer = JSON.parse(await ask(request)) as Answer<T>
  if ('ok' in answer) return answer.ok
  if ('problems' in answer) throw new DraftError(answer.problems)
  throw new Error(`Console and contract engine are of different versions. Reload the page. (${answer.unread})`)
}

/** What is wrong with a draft, and which fields its schema has. */
export const inspect = (draft: Draft) => answered<Inspection>({ inspect: draft })

/** What a gateway would say of each record, given as JSON; 1,000 at most. Throws DraftError if the draft is not sound. */
export const judge = (draft: Draft, records: string[]) => answered<Verdict[]>({ judge: { draft, records } })

/** What is different, and whether the registry would take it. Throws DraftError if one of the schemas cannot be read. */
export const compare = (before: Draft, after: Draft, level: string) =>
  answered<Comparison>({ compare: { before, after, level } })
