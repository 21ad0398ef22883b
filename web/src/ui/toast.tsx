// Short words after an act, announced politely, gone by themselves; never the only place where something is said.
import { createContext, use, useCallback, useState, type ReactNode } from 'react'
import { IconButton } from './button.tsx'

const SHOWN_MS = 6000
const ToastContext = createContext<(text: string) => void>(() => undefined)

export const useToast = (): ((text: string) => void) => use(ToastContext)

export function Toasts({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<{ id: number; text: string }[]>([])
  const drop = useCallback((id: number) => setToasts((old) => old.filter((t) => t.id !== id)), [])
  const say = useCallback((text: string) => {
    const id = Date.now() + Math.random()
    setToasts((old) => [...old.slice(-2), { id, text }])
    setTimeout(() => drop(id), SHOWN_MS)
  }, [drop])
  return (
    <ToastContext value={say}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map((t) => (
          <div key={t.id} className="toast">
            {t.text}
            <IconButton icon="close" label="Dismiss" onClick={() => drop(t.id)} />
          </div>
        ))}
      </div>
    </ToastContext>
  )
}
