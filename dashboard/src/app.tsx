import { useCallback, useEffect, useState } from 'preact/hooks'
import type { Me } from '../../src/control/messages.ts'
import { ApiError, api, messageOf } from './api.ts'
import { Shell } from './shell.tsx'
import { SignIn } from './sign_in.tsx'

type AppState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'signed_in'; readonly me: Me }
  | { readonly kind: 'signed_out'; readonly error: string; readonly again: boolean }
  | { readonly kind: 'failed'; readonly message: string }

export function App() {
  const [state, setState] = useState<AppState>({ kind: 'loading' })
  const load = useCallback(async () => {
    setState({ kind: 'loading' })
    setState(await whoAmI())
  }, [])
  const signedOut = useCallback(() => {
    setState((before) =>
      before.kind === 'signed_in' ? { kind: 'signed_out', error: '', again: false } : before,
    )
  }, [])
  const signOut = useCallback(async () => {
    try {
      await api('/logout', { method: 'POST' })
      setState({ kind: 'signed_out', error: '', again: true })
    } catch (error) {
      setState({ kind: 'failed', message: messageOf(error) })
    }
  }, [])
  useEffect(() => void load(), [load])

  switch (state.kind) {
    case 'loading':
      return (
        <main class="sign-in">
          <p class="dim" role="status">
            Loading…
          </p>
        </main>
      )
    case 'signed_out':
      return <SignIn error={state.error} again={state.again} />
    case 'signed_in':
      return <Shell me={state.me} signedOut={signedOut} signOut={signOut} />
    case 'failed':
      return (
        <main class="sign-in">
          <div class="card">
            <p class="failure" role="alert">
              {state.message}
            </p>
            <button type="button" class="button" onClick={load}>
              Try again
            </button>
          </div>
        </main>
      )
  }
}

async function whoAmI(): Promise<AppState> {
  const address = new URL(location.href)
  const error = address.searchParams.get('login_error') ?? ''
  if (error !== '') history.replaceState(null, '', '/')
  try {
    return { kind: 'signed_in', me: await api<Me>('/api/v1/me') }
  } catch (failure) {
    if (failure instanceof ApiError && failure.status === 401)
      return { kind: 'signed_out', error, again: error !== '' }
    return { kind: 'failed', message: messageOf(failure) }
  }
}
