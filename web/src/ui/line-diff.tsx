// Which lines of a text went and came.
import { diffLines } from 'diff'
import { Section } from './facts.tsx'

/** Texts may have a mebibyte; a comparison that takes longer is given up. */
const COMPARE_MS = 2_000

export function LineDiff({ title, before, after }: { title: string; before: string; after: string }) {
  const pieces = before === after ? [] : diffLines(before, after, { timeout: COMPARE_MS })
  if (pieces === undefined) return <Section title={title}><p className="muted">The two differ too much to be compared here.</p></Section>
  if (pieces.length === 0) return <Section title={title}><p className="muted">The same in both.</p></Section>
  return (
    <Section title={title}>
      {/* Scrollable, so the keyboard must be able to reach it. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0} className="line-diff" aria-label={`${title}: lines removed and added`}>
        {pieces.map((piece, at) => <Lines key={at} text={piece.value} sign={piece.added ? '+' : piece.removed ? '-' : ' '} />)}
      </pre>
    </Section>
  )
}

function Lines({ text, sign }: { text: string; sign: '+' | '-' | ' ' }) {
  const lines = text.replace(/\n$/, '').split('\n').map((line) => `${sign} ${line}\n`).join('')
  if (sign === '+') return <ins>{lines}</ins>
  return sign === '-' ? <del>{lines}</del> : lines
}
