// Is the screen narrow? Lists become cards then.
import { useSyncExternalStore } from 'react'

const narrow = typeof matchMedia === 'function' ? matchMedia('(max-width: 760px)') : undefined

function subscribe(changed: () => void): () => void {
  narrow?.addEventListener('change', changed)
  return () => narrow?.removeEventListener('change', changed)
}

export function useNarrow(): boolean {
  return useSyncExternalStore(subscribe, () => narrow?.matches ?? false)
}
