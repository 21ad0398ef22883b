// A link to an object by its id, under the name it goes by; its id when the name is not known.
import { Link } from '@tanstack/react-router'
import type { AnyObject } from '../api/types.ts'
import { useAll } from '../api/hooks.ts'
import type { ListPath } from '../api/types.ts'
import { kindOfId, nameOf, shortId } from '../app/kinds.ts'

export function ObjectLink({ id, name }: { id: string | undefined | null; name?: string }) {
  if (!id) return <span className="muted">none</span>
  const kind = kindOfId(id)
  const text = name ?? shortId(id)
  if (!kind?.page) return <span title={id}>{text}</span>
  return <Link to={`${kind.route}/$id` as '/topics/$id'} params={{ id }} search={(old) => ({ tenant: old.tenant })} title={id}>{text}</Link>
}

/** Names of all objects of a kind, for rows that only carry ids. A name that cannot be read is shown as its id. */
export function useNames(path: ListPath, options?: { enabled?: boolean }): (id: string | undefined) => string | undefined {
  const all = useAll(path, undefined, options)
  return (id) => {
    const found = (all.data as AnyObject[] | undefined)?.find((o) => o.id === id)
    return found ? nameOf(found) : undefined
  }
}
