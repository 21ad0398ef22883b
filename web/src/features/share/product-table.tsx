// The catalog of what other tenants list, as rows.
import type { DataProduct } from '../../api/types.ts'
import { useAddress } from '../../app/search.ts'
import { Collection } from '../../ui/list-page.tsx'
import { ObjectLink } from '../../ui/object-link.tsx'
import { Age } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { useProducts } from './queries.ts'
import { priceText, standingText } from './share.ts'

const COLUMNS: readonly Column<DataProduct>[] = [
  { key: 'name', label: 'Data product', cell: (p) => <ObjectLink id={p.id} name={p.spec.name} />, sort: (p) => p.spec.name },
  { key: 'description', label: 'What it is', cell: (p) => <span className="clamped">{p.spec.description}</span> },
  { key: 'from', label: 'From', cell: (p) => p.status.provider_name, sort: (p) => p.status.provider_name },
  { key: 'price', label: 'Price', cell: (p) => priceText(p.spec.price) },
  { key: 'standing', label: 'For you', cell: (p) => standingText(p), sort: standingText },
  { key: 'changed', label: 'Changed', cell: (p) => <Age at={p.metadata.updated_at} />, sort: (p) => p.metadata.updated_at },
]

export function ProductTable() {
  const { q } = useAddress()
  const list = useProducts(q)
  return (
    <Collection
      // The server has filtered: every row that it answered matches.
      list={list} caption="Data products of other tenants" noun={['data product', 'data products']} columns={COLUMNS} text={() => q ?? ''} narrowed={q !== undefined}
      empty={{ title: 'Nothing listed for you', text: 'Topics that other tenants list for yours, or for everybody, are found here, and you can ask to read them.' }}
    />
  )
}
