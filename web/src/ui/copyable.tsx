// Text that is there to be taken elsewhere: one line, or a block with copy and download.
import { useEffect, useRef, useState } from 'react'
import { Button, IconButton } from './button.tsx'

function useCopy(text: string): { copied: boolean; failed: boolean; copy: () => void } {
  const [outcome, setOutcome] = useState<'none' | 'copied' | 'failed'>('none')
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  const copy = () => {
    const settle = (result: 'copied' | 'failed') => {
      setOutcome(result)
      clearTimeout(timer.current)
      timer.current = setTimeout(() => setOutcome('none'), 2000)
    }
    // Over plain HTTP from another machine the browser withholds its clipboard; the text can still be selected.
    if (!navigator.clipboard) return settle('failed')
    navigator.clipboard.writeText(text).then(() => settle('copied'), () => settle('failed'))
  }
  return { copied: outcome === 'copied', failed: outcome === 'failed', copy }
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const { copied, failed, copy } = useCopy(text)
  return (
    <>
      <IconButton icon={copied ? 'check' : 'copy'} label={label} className={copied ? 'done' : ''} onClick={copy} />
      <span className="hidden-visually" role="status">{copied ? 'Copied' : failed ? 'Not copied: select the text instead' : ''}</span>
    </>
  )
}

/** A value in one line, such as an id or an address. */
export function Copyable({ text, label, shown }: { text: string; label: string; shown?: string }) {
  return (
    <span className="copyable">
      <code title={text}>{shown ?? text}</code>
      <CopyButton text={text} label={label} />
    </span>
  )
}

interface CodeBlockProps {
  text: string
  label: string
  /** Offers the text as a file under this name. */
  file?: string
  wrap?: boolean
}

export function CodeBlock({ text, label, file, wrap = false }: CodeBlockProps) {
  const { copied, failed, copy } = useCopy(text)
  return (
    <div className="code-block">
      <div className="code-tools">
        <Button tone="quiet" icon={copied ? 'check' : 'copy'} onClick={copy} aria-label={`Copy ${label}`}>
          {copied ? 'Copied' : 'Copy'}
        </Button>
        {file && (
          <Button tone="quiet" icon="download" onClick={() => download(file, text)} aria-label={`Download ${label}`}>
            Download
          </Button>
        )}
        <span className="hidden-visually" role="status">{copied ? 'Copied' : failed ? 'Not copied: select the text instead' : ''}</span>
      </div>
      {/* Scrollable, so the keyboard must be able to reach it. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0} aria-label={label} className={wrap ? 'wrap' : undefined}>{text}</pre>
    </div>
  )
}

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
