// One request, one run of the program: it begins with empty memory, so nothing of a request is left to the next.
import { ConsoleStdout, File, OpenFile, WASI } from '@bjorn3/browser_wasi_shim'

/** Runs the engine on a request's JSON and returns the answer's. */
export function run(engine: WebAssembly.Module, request: string): string {
  const answer: Uint8Array[] = []
  const errors: string[] = []
  const wasi = new WASI(
    [],
    [],
    [
      new OpenFile(new File(new TextEncoder().encode(request))),
      new ConsoleStdout((bytes) => answer.push(bytes.slice())),
      ConsoleStdout.lineBuffered((line) => errors.push(line)),
    ],
  )
  const instance = new WebAssembly.Instance(engine, { wasi_snapshot_preview1: wasi.wasiImport })
  const code = wasi.start(instance as unknown as Parameters<WASI['start']>[0])
  if (code !== 0) throw new Error(`the contract engine ended with ${code}: ${errors.join(' ')}`)
  const text = new TextDecoder()
  return answer.map((bytes) => text.decode(bytes, { stream: true })).join('') + text.decode()
}
