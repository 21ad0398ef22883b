// An address that leads nowhere, and a page whose code failed.
import { LinkButton } from '../ui/button.tsx'
import { PageHead } from '../ui/list-page.tsx'
import { Empty, Failure } from '../ui/states.tsx'

export function NotFound() {
  return (
    <>
      <PageHead title="Not found" />
      <Empty title="There is no such page" action={<LinkButton to="/">To the overview</LinkButton>}>
        The address may be mistyped, or from a newer console.
      </Empty>
    </>
  )
}

/** After an update the old page may ask for files that are gone; reading the page anew mends it. */
export function PageFailed({ error }: { error: unknown }) {
  return <Failure error={error} again={() => location.reload()} />
}
