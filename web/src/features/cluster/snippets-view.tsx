// Client configurations with a choice of language, copy and download.
import { useId, useState, type KeyboardEvent } from 'react'
import { CodeBlock } from '../../ui/copyable.tsx'
import { snippetsFor, type Access, type Snippet } from './snippets.ts'

export function Snippets({ access, native = false }: { access: Omit<Access, 'tokenUrl' | 'native'>; native?: boolean }) {
  return <SnippetTabs snippets={snippetsFor({ ...access, native, tokenUrl: new URL('/v1/oauth/token', window.location.href).href })} />
}

export function SnippetTabs({ snippets }: { snippets: readonly Snippet[] }) {
  const [chosen, setChosen] = useState(snippets[0]!.key)
  const id = useId()
  const current = snippets.find((s) => s.key === chosen) ?? snippets[0]!
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (!step) return
    event.preventDefault()
    const next = snippets.at((snippets.indexOf(current) + step) % snippets.length)!
    setChosen(next.key)
    document.getElementById(`${id}-${next.key}`)?.focus()
  }
  return (
    <div className="snippets">
      <div role="tablist" aria-label="Client" className="chips" tabIndex={-1} onKeyDown={move}>
        {snippets.map((s) => (
          <button
            key={s.key} id={`${id}-${s.key}`} type="button" role="tab" aria-selected={s === current} aria-controls={`${id}-panel`}
            tabIndex={s === current ? 0 : -1} onClick={() => setChosen(s.key)}
          >
            {s.label}
          </button>
        ))}
      </div>
      <div id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-${current.key}`}>
        <CodeBlock text={current.text} label={`${current.label} configuration`} file={current.file} />
      </div>
    </div>
  )
}
