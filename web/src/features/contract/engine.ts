// The engine that judges at the gateway, in this browser: loaded when it is first asked for, so that no other page carries it.
// What it is given stays here; sample records are sent nowhere.
import { useEffect, useRef, useState } from 'react'
import type * as EngineModule from '../../engine/index.ts'
import type { Draft as EngineDraft } from '../../engine/index.ts'

type Engine = Pick<typeof EngineModule, 'inspect' | 'judge' | 'compare'>

const engine = (): Promise<Engine> => import('../../engine/index.ts')

export interface Live<T> {
  /** The newest answer; while it is asked again, the one before. */
  data?: T
  error?: unknown
  /** The answer is not about what is there now. */
  late: boolean
  again: () => void
}

const SETTLED_MS = 250

/** Asks once nobody types any more; only the newest answer counts. `input` must be the same object while it means the same. */
function useLive<I extends object, T>(input: I | undefined, ask: (engine: Engine, input: I) => Promise<T>, first = SETTLED_MS): Live<T> {
  const [held, setHeld] = useState<{ input?: I; data?: T; error?: unknown }>({})
  const [turn, setTurn] = useState(0)
  const last = useRef(Promise.resolve())
  useEffect(() => {
    if (!input) return
    let over = false
    const answer = (next: { data?: T; error?: unknown }) => {
      if (!over) setHeld((old) => ({ input, data: next.error ? old.data : next.data, error: next.error }))
    }
    const timer = setTimeout(() => {
      // One at a time: what was typed over meanwhile is not asked about any more.
      last.current = last.current.then(async () => {
        if (over) return
        try {
          answer({ data: await ask(await engine(), input) })
        } catch (error) {
          answer({ error })
        }
      })
    }, first)
    return () => {
      over = true
      clearTimeout(timer)
    }
  }, [input, ask, first, turn])
  if (!input) return { late: false, again: () => undefined }
  return { data: held.data, error: held.input === input ? held.error : undefined, late: held.input !== input, again: () => setTurn((old) => old + 1) }
}

const inspect = (it: Engine, draft: EngineDraft) => it.inspect(draft)
export const useInspection = (draft: EngineDraft | undefined) => useLive(draft, inspect)

export interface Trial {
  draft: EngineDraft
  records: string[]
}
const judge = (it: Engine, { draft, records }: Trial) => it.judge(draft, records)
export const useVerdicts = (trial: Trial | undefined) => useLive(trial, judge)

export interface Step {
  before: EngineDraft
  after: EngineDraft
  level: string
}
const compare = (it: Engine, { before, after, level }: Step) => it.compare(before, after, level)
export const useComparison = (step: Step | undefined) => useLive(step, compare)
