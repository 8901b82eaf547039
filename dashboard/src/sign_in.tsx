import { Logo } from './logo.tsx'

/** What went wrong on the way to the identity provider and back, by the code in `/?login_error=`. */
const texts: Readonly<Record<string, string>> = {
  provider_unreachable: 'The identity provider cannot be reached. The gateway’s log says why.',
  provider_failed: 'The identity provider did not confirm who you are. The gateway’s log says why.',
  cancelled: 'You cancelled, or the identity provider does not let you in.',
  started_elsewhere: 'This sign-in was begun in another window, or took too long. Try again.',
  groups_overage:
    'Your account is in too many groups for the identity provider to list. An administrator has to limit the groups to those assigned to Sluice.',
}

export interface SignInProps {
  /** Code of what went wrong, empty when nothing did. */
  readonly error: string
  /** After signing out: the identity provider asks again who it is. */
  readonly again: boolean
}

export function SignIn({ error, again }: SignInProps) {
  return (
    <main class="sign-in">
      <div class="card">
        <h1>
          <Logo /> Sluice
        </h1>
        <p>
          Requests to inference services that wait for a person, and the record of those that went through.
        </p>
        {error !== '' && (
          <p class="failure" role="alert">
            {texts[error] ?? 'Signing in failed. Try again.'}
          </p>
        )}
        {again && error === '' && <p role="status">You are signed out.</p>}
        <a class="button primary" href={again ? '/login?prompt=login' : '/login'}>
          Sign in
        </a>
      </div>
    </main>
  )
}
