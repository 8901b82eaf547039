import * as openid from 'openid-client'
import type { DashboardClient } from '../config/config.ts'
import { limits } from '../config/limits.ts'
import { groupsOf } from '../identity/groups_of.ts'
import { IdentityError } from '../identity/identity_error.ts'
import type { Log } from '../log.ts'
import type { Principal } from '../policy/principal.ts'
import { cookieValue, setCookie } from './cookies.ts'
import { type HttpAnswer, type HttpRequest, redirectAnswer } from './http_message.ts'
import { SealedBox } from './sealed_box.ts'

/** Where the identity provider sends people back to; registered there as a redirect URI. */
export const callback_path = '/login/callback'

const cookie_name = 'sluice_login'
const provider_timeout_s = 10
const discovery_retry_ms = 1_000

/** Why somebody could not sign in; shown by the dashboard as `/?login_error=…`. */
export type LoginErrorCode =
  | 'provider_unreachable'
  | 'provider_failed'
  | 'cancelled'
  | 'started_elsewhere'
  | 'groups_overage'

export interface OpenidLoginOptions {
  readonly client: DashboardClient
  /** Path into the claims, see `groups_of.ts`. */
  readonly groups_claim: string
  /** Origin of the dashboard; known once the listener has its port. */
  readonly own_origin: () => string
  /** Signs the person in. @returns the `Set-Cookie` value of the session */
  readonly signedIn: (person: Principal) => string
  readonly log: Log
}

export interface OpenidLogin {
  /** Sends the browser to the identity provider. `?prompt=login` asks for the password again. */
  begin(request: HttpRequest): Promise<HttpAnswer>
  /** Takes the browser back: the authorization code is exchanged, and the session begins. */
  finish(request: HttpRequest): Promise<HttpAnswer>
}

interface LoginState {
  readonly state: string
  readonly nonce: string
  readonly code_verifier: string
}

/**
 * Sign-in by OpenID Connect's authorization code flow with PKCE (RFC 7636), state and nonce. What has to be remembered
 * meanwhile is sealed into a cookie, which binds the flow to the browser that began it.
 */
export function createOpenidLogin(options: OpenidLoginOptions): OpenidLogin {
  const box = new SealedBox()
  let discovered: Promise<openid.Configuration> | null = null
  const provider = () => {
    if (discovered) return discovered
    discovered = discover(options)
    discovered.catch(() => {
      // Whoever reloads the page does not hammer a provider that is down.
      setTimeout(() => {
        discovered = null
      }, discovery_retry_ms).unref()
    })
    return discovered
  }
  return {
    begin: (request) => begin(request, options, box, provider),
    finish: (request) => finish(request, options, box, provider),
  }
}

async function begin(
  request: HttpRequest,
  options: OpenidLoginOptions,
  box: SealedBox,
  provider: () => Promise<openid.Configuration>,
): Promise<HttpAnswer> {
  const own = options.own_origin()
  const asked = new URLSearchParams(request.query)
  // Cookies belong to one host name, and the provider comes back to the one that is registered. Only once: a proxy in
  // front may send a host name of its own.
  if (request.header('host') !== new URL(own).host && !asked.has('moved')) {
    asked.set('moved', '1')
    return redirectAnswer(`${own}/login?${asked}`)
  }
  let configuration: openid.Configuration
  try {
    configuration = await provider()
  } catch (error) {
    options.log.warn(
      { issuer: options.client.issuer, reason: described(error) },
      'the identity provider cannot be reached',
    )
    return loginFailed('provider_unreachable')
  }
  const login: LoginState = {
    state: openid.randomState(),
    nonce: openid.randomNonce(),
    code_verifier: openid.randomPKCECodeVerifier(),
  }
  const { scopes_supported = [] } = configuration.serverMetadata()
  const location = openid.buildAuthorizationUrl(configuration, {
    redirect_uri: own + callback_path,
    // Asking for a scope that a provider does not have is an error at some of them.
    scope: ['openid', 'email', 'profile', ...(scopes_supported.includes('groups') ? ['groups'] : [])].join(
      ' ',
    ),
    state: login.state,
    nonce: login.nonce,
    code_challenge: await openid.calculatePKCECodeChallenge(login.code_verifier),
    code_challenge_method: 'S256',
    ...(asked.get('prompt') === 'login' ? { prompt: 'login' } : {}),
  })
  const cookie = { path: '/login', max_age_s: limits.login_ms_max / 1000, secure: own.startsWith('https:') }
  return redirectAnswer(location.href, [
    ['set-cookie', setCookie(cookie_name, box.seal(login, limits.login_ms_max), cookie)],
  ])
}

async function finish(
  request: HttpRequest,
  options: OpenidLoginOptions,
  box: SealedBox,
  provider: () => Promise<openid.Configuration>,
): Promise<HttpAnswer> {
  const own = options.own_origin()
  const login = box.open(cookieValue(request.header('cookie'), cookie_name) ?? '') as LoginState | null
  const query = new URLSearchParams(request.query)
  if (!login || query.get('state') !== login.state) return loginFailed('started_elsewhere')
  if (query.get('error') === 'access_denied') return loginFailed('cancelled')
  try {
    const configuration = await provider()
    const tokens = await openid.authorizationCodeGrant(
      configuration,
      new URL(`${own}${callback_path}?${request.query}`),
      { pkceCodeVerifier: login.code_verifier, expectedState: login.state, expectedNonce: login.nonce },
    )
    const person = await personOf(configuration, tokens, options)
    options.log.info(
      { subject: person.subject, groups: person.groups.length },
      'somebody signed in to the dashboard',
    )
    const removed = setCookie(cookie_name, '', {
      path: '/login',
      max_age_s: 0,
      secure: own.startsWith('https:'),
    })
    return redirectAnswer('/', [
      ['set-cookie', options.signedIn(person)],
      ['set-cookie', removed],
    ])
  } catch (error) {
    options.log.warn({ issuer: options.client.issuer, reason: described(error) }, 'a sign-in failed')
    return loginFailed(error instanceof IdentityError ? 'groups_overage' : 'provider_failed')
  }
}

/** Who signed in, by the ID token; groups that are not in there are asked for at the userinfo endpoint. */
async function personOf(
  configuration: openid.Configuration,
  tokens: Awaited<ReturnType<typeof openid.authorizationCodeGrant>>,
  { groups_claim }: OpenidLoginOptions,
): Promise<Principal> {
  let claims: Record<string, unknown> = tokens.claims()!
  const { sub, iss } = claims as { sub: string; iss: string }
  if (groupsOf(claims, groups_claim).length === 0 && configuration.serverMetadata().userinfo_endpoint) {
    claims = { ...claims, ...(await openid.fetchUserInfo(configuration, tokens.access_token, sub)) }
  }
  return {
    subject: sub,
    email: typeof claims.email === 'string' ? claims.email : '',
    groups: groupsOf(claims, groups_claim),
    issuer: iss,
    proof: 'oidc',
    expires_at: Math.floor((Date.now() + limits.session_ms_max) / 1000),
  }
}

function discover({ client }: OpenidLoginOptions): Promise<openid.Configuration> {
  const { client_secret } = client
  const basic = openid.ClientSecretBasic(client_secret)
  const post = openid.ClientSecretPost(client_secret)
  // OpenID Connect's default is Basic; a provider that has only the other one says so.
  const authenticate: openid.ClientAuth = (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    return (methods.includes('client_secret_basic') ? basic : post)(server, ...rest)
  }
  const execute = [openid.enableNonRepudiationChecks]
  // The configuration says http: itself, for a provider on the same machine or network.
  if (client.issuer.startsWith('http:')) execute.push(openid.allowInsecureRequests)
  return openid.discovery(new URL(client.issuer), client.client_id, { client_secret }, authenticate, {
    execute,
    timeout: provider_timeout_s,
  })
}

function loginFailed(code: LoginErrorCode): HttpAnswer {
  return redirectAnswer(`/?login_error=${code}`)
}

/** What may be logged of a failure: messages of the library and error codes of the provider, no parameters. */
function described(error: unknown): string {
  const { name, message, code, error: provider_code } = error as Error & { code?: string; error?: string }
  return [name, code, provider_code, message]
    .filter((part) => typeof part === 'string' && part !== '')
    .join(': ')
}
