// The token of an invitation to a share. It stands behind the # of the address, so that no server sees it; it is kept here so that it
// outlives a sign-in and a choice of tenant, which change the address.
export const INVITATION_PATH = '/share-invitation'

let held: string | undefined

/** The token of the address, or the one that came before. */
export function invitationToken(hash: string = location.hash): string | undefined {
  const token = hash.replace(/^#/, '').trim()
  if (token !== '') held = token
  return held
}

// Read when the console begins: whoever has to choose a tenant first leaves the address.
if (typeof location !== 'undefined' && location.pathname === INVITATION_PATH) invitationToken()

export function forgetInvitation(): void {
  held = undefined
}
