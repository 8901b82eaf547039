import type { Roles } from '../config/config.ts'
import { IdentityError } from '../identity/identity_error.ts'
import type { TokenVerifier } from '../identity/verify_token.ts'
import type { Principal } from '../policy/principal.ts'
import { Problem } from '../problem/problem.ts'
import { cookieValue } from './cookies.ts'
import type { HttpRequest } from './http_message.ts'
import type { Person } from './person.ts'
import { type Role, rolesOf } from './roles_of.ts'
import type { Sessions } from './sessions.ts'

export interface Credentials {
  readonly sessions: Sessions
  readonly session_cookie: string
  readonly verifier: () => TokenVerifier
  readonly roles: () => Roles
  /** Whether people can sign in with a browser; told to those who did not. */
  readonly sign_in: boolean
}

/**
 * Who sends a request: by `Authorization: Bearer` when there is one, else by the dashboard's session cookie.
 * @throws Problem `token_missing`, `token_invalid`, `token_expired`
 */
export async function authenticatePerson(request: HttpRequest, credentials: Credentials): Promise<Person> {
  const authorization = request.header('authorization')
  if (authorization !== '') {
    const principal = await verified(authorization, credentials)
    return { principal, roles: rolesOf(principal, credentials.roles()), session: null }
  }
  const person = signedInPerson(request, credentials)
  if (person) return person
  const how = credentials.sign_in ? 'sign in at /login, or send' : 'send'
  throw new Problem('token_missing', `${how} an access token as Authorization: Bearer`, {
    sign_in: credentials.sign_in,
  })
}

/** Who the session cookie belongs to, or null. */
export function signedInPerson(request: HttpRequest, credentials: Credentials): Person | null {
  const id = cookieValue(request.header('cookie'), credentials.session_cookie)
  const session = id ? credentials.sessions.get(id) : null
  if (!session) return null
  return { principal: session.person, roles: rolesOf(session.person, credentials.roles()), session }
}

/** @throws Problem `forbidden` when the person has none of the roles */
export function requireRole(person: Person, ...roles: Role[]): void {
  if (roles.some((role) => person.roles.includes(role))) return
  const names = roles.join(' or ')
  throw new Problem('forbidden', `this needs the role ${names}; identity.roles names the groups that have it`)
}

async function verified(authorization: string, credentials: Credentials): Promise<Principal> {
  const [scheme = '', token = '', ...rest] = authorization.split(' ')
  if (scheme.toLowerCase() !== 'bearer' || token === '' || rest.length > 0) {
    throw new Problem('token_invalid', 'the Authorization header must be "Bearer" and one access token')
  }
  try {
    return await credentials.verifier().verify(token)
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    throw new Problem(error.code === 'token_expired' ? 'token_expired' : 'token_invalid', error.message)
  }
}
