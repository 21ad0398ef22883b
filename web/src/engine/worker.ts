// The engine beside the page, which stays quick while a schema is large or a rule is slow.
import url from './contract.wasm?url'
import { run } from './run.ts'

// eslint-disable-next-line no-restricted-globals -- a file of the console, no call of the API
const engine = WebAssembly.compileStreaming(fetch(url))

self.onmessage = async ({ data: { id, request } }: MessageEvent<{ id: number; request: string }>) => {
  try {
    self.postMessage({ id, answer: run(await engine, request) })
  } catch (error) {
    self.postMessage({ id, error: error instanceof Error ? error.message : String(error) })
  }
}
