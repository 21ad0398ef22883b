// A modal panel on the browser's own <dialog>: focus kept inside, Escape closes, the page behind is inert. On a wide
// screen it stands at the right side, so that the list stays in view; on a phone it takes the whole screen.
import { useEffect, useId, useRef, type ReactNode } from 'react'
import { IconButton } from './button.tsx'

interface DialogProps {
  open: boolean
  title: string
  onClose: () => void
  children: ReactNode
  shape?: 'side' | 'centre' | 'top'
  /** A secret that is shown once must not vanish by a stray Escape or click. */
  keepOpen?: boolean
  hideTitle?: boolean
  /** Another content of the same dialog: the focus goes to what is next, instead of being lost with the old content. */
  stage?: string
}

export function Dialog({ open, ...rest }: DialogProps) {
  return open ? <OpenDialog {...rest} /> : null
}

function OpenDialog({ title, onClose, children, shape = 'side', keepOpen = false, hideTitle = false, stage }: Omit<DialogProps, 'open'>) {
  const ref = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  useEffect(() => {
    const dialog = ref.current
    const before = document.activeElement
    dialog?.showModal()
    return () => {
      dialog?.close()
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  useEffect(() => {
    const next = ref.current?.querySelector<HTMLElement>('[data-autofocus], .dialog-form :is(input, select, textarea):not(:disabled)')
    if (next) next.focus()
    else if (!ref.current?.contains(document.activeElement)) ref.current?.querySelector('h2')?.focus()
  }, [stage])
  return (
    // The click is on the backdrop; the keyboard's way out is Escape, which arrives as `cancel`.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/click-events-have-key-events
    <dialog
      ref={ref}
      className={`dialog ${shape}`}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault()
        if (!keepOpen) onClose()
      }}
      onClick={(event) => {
        if (event.target === ref.current && !keepOpen) onClose()
      }}
    >
      <div className="dialog-body">
        <header className={hideTitle ? 'hidden-visually' : 'dialog-head'}>
          <h2 id={titleId} tabIndex={-1}>{title}</h2>
          {!keepOpen && !hideTitle && <IconButton icon="close" label="Close" onClick={onClose} />}
        </header>
        {children}
      </div>
    </dialog>
  )
}
