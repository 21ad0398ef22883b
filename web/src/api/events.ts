// The event stream: one connection for the tenant in view, resumed where it broke. Server-sent events are read by fetch,
// because the browser's EventSource cannot send the tenant header.
import type { Api } from './client.ts'

export interface Event {
  id?: string
  event?: string
  data: string
}

/** Splits a stream of text into events as the HTML standard says; `feed` may be given any piece of it. */
export class EventParser {
  private rest = ''
  private current: { id?: string; event?: string; data: string[] } = { data: [] }

  feed(text: string): Event[] {
    const events: Event[] = []
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/)
    this.rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line === '') {
        if (this.current.data.length > 0) events.push({ ...this.current, data: this.current.data.join('\n') })
        this.current = { data: [] }
        continue
      }
      const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
      if (field === 'data') this.current.data.push(value)
      else if (field === 'id') this.current.id = value
      else if (field === 'event') this.current.event = value
    }
    return events
  }
}

export type StreamHealth = 'connecting' | 'live' | 'away'

interface Listener {
  onEvent: (event: Event) => void
  /** Something may have been missed: read everything again. */
  onGap: () => void
  onHealth: (health: StreamHealth) => void
}

const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 30_000

export async function follow(api: Api, signal: AbortSignal, listener: Listener): Promise<void> {
  let last: string | undefined
  let pause = FIRST_PAUSE_MS
  while (!signal.aborted) {
    try {
      const response = await api.stream('/v1/events', last, signal)
      if (response.status === 410) {
        // The position is older than what the server keeps.
        last = undefined
        listener.onGap()
        continue
      }
      if (response.ok && response.body) {
        listener.onHealth('live')
        pause = FIRST_PAUSE_MS
        const parser = new EventParser()
        const decoder = new TextDecoder()
        for await (const bytes of response.body) {
          for (const event of parser.feed(decoder.decode(bytes, { stream: true }))) {
            last = event.id ?? last
            listener.onEvent(event)
          }
        }
        if (last === undefined) listener.onGap()
      }
    } catch {
      // A broken stream is an ordinary event: say that it is away and come back.
    }
    if (signal.aborted) return
    listener.onHealth('away')
    await sleep(pause, signal)
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    }, { once: true })
  })
}
