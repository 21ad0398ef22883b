// Signing in with e-mail and password.
import { useState, type FormEvent } from 'react'
import { useSessionDoor } from '../../app/session.tsx'
import { isProblem } from '../../api/problem.ts'
import { Button } from '../../ui/button.tsx'
import { Mark } from '../../ui/icons.tsx'
import { usePageTitle } from '../../ui/list-page.tsx'
import { Failure } from '../../ui/states.tsx'

export function SignIn({ expired }: { expired: boolean }) {
  usePageTitle('Sign in')
  const { signIn } = useSessionDoor()
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(undefined)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    signIn(email.trim(), password).catch((refused: unknown) => {
      setError(refused)
      setBusy(false)
    })
  }
  const wrong = isProblem(error, 401)
  return (
    <main className="sign-in">
      <form onSubmit={submit}>
        <div className="sign-in-brand"><Mark /><h1>Sign in to Weir</h1></div>
        {expired && !error && <p className="note" role="status">Your session ended. Sign in again; you come back to this page.</p>}
        <div className="field">
          <label htmlFor="email">E-mail</label>
          <input id="email" name="email" type="email" autoComplete="username" required value={email} onChange={(event) => setEmail(event.target.value)} />
        </div>
        <div className="field">
          <label htmlFor="password">Password</label>
          <input id="password" name="password" type="password" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.target.value)} />
        </div>
        {wrong && <p className="field-error" role="alert">The e-mail address or the password is not right.</p>}
        {error !== undefined && !wrong && <Failure error={error} compact />}
        <Button tone="primary" type="submit" busy={busy}>{busy ? 'Signing in…' : 'Sign in'}</Button>
        <p className="hint">No account? A tenant administrator adds you under Access › Members.</p>
      </form>
    </main>
  )
}
