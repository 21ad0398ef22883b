// A text in lines, a schema or a statement, with its line numbers, and what is wrong with it where it is wrong.
import { useId, useRef, useState } from 'react'

export interface Marked {
  line?: number | null
  column?: number | null
  path?: string | null
  message: string
}

const ROWS_MAX = 26

interface CodeEditorProps {
  label: string
  text: string
  onChange: (text: string) => void
  problems: readonly Marked[]
  /** Lines that are always there. */
  rows?: number
}

export function CodeEditor({ label, text, onChange, problems, rows = 12 }: CodeEditorProps) {
  const id = useId()
  const area = useRef<HTMLTextAreaElement>(null)
  const [top, setTop] = useState(0)
  const lines = text.split('\n').length
  const wrong = new Set(problems.map((problem) => problem.line))
  const numbers = Array.from({ length: lines }, (_, at) => `${wrong.has(at + 1) ? '✕ ' : ''}${at + 1}`).join('\n')
  const go = ({ line, column }: Marked) => {
    const at = offsetOf(text, line ?? 1, column ?? 1)
    area.current?.focus()
    area.current?.setSelectionRange(at, at)
  }
  return (
    <div className={`field ${problems.length > 0 ? 'wrong' : ''}`}>
      <label htmlFor={id}>{label}</label>
      <div className="code-editor">
        <div className="line-numbers" aria-hidden="true"><pre style={{ transform: `translateY(${-top}px)` }}>{numbers}</pre></div>
        <textarea
          id={id} ref={area} value={text} rows={Math.min(ROWS_MAX, Math.max(rows, lines + 1))} wrap="off" spellCheck={false} autoComplete="off" autoCapitalize="off" className="mono"
          aria-invalid={problems.length > 0 || undefined} aria-describedby={problems.length > 0 ? `${id}-problems` : undefined}
          onChange={(event) => onChange(event.target.value)} onScroll={(event) => setTop(event.currentTarget.scrollTop)}
        />
      </div>
      {problems.length > 0 && (
        <ul className="problems" id={`${id}-problems`}>
          {problems.map((problem, at) => (
            <li key={at}>
              {problem.line ? <button type="button" className="linkish" onClick={() => go(problem)}>Line {problem.line}{problem.column ? `, column ${problem.column}` : ''}</button> : problem.path && <code>{problem.path}</code>}
              {' '}{problem.message}
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

/** Where a line and column are in a text; both begin with 1. */
export function offsetOf(text: string, line: number, column: number): number {
  let start = 0
  for (let at = 1; at < line; at += 1) {
    const next = text.indexOf('\n', start)
    if (next < 0) break
    start = next + 1
  }
  const end = text.indexOf('\n', start)
  return Math.min(start + Math.max(0, column - 1), end < 0 ? text.length : end)
}
