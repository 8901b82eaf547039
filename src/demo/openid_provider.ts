import { generateKeyPair, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import Provider, { type KoaContext } from 'oidc-provider'
import { createOidcStorage } from './oidc_storage.ts'
import { escapeHtml, page, signInPage } from './openid_pages.ts'
import { findPerson, people } from './people.ts'

/** Audience of every access token, and what `identity.audience` must say. */
export const demo_audience = 'sluice'
/** Client of the dashboard: authorization code with PKCE, secret sent as `client_secret_basic` or `_post`. */
export const demo_dashboard_client = 'sluice-dashboard'
/** Client of `sluice login`: device code, no secret. */
export const demo_device_client = 'sluice-cli'

const resource = 'urn:sluice:gateway'
const token_seconds = 3600
const form_bytes_max = 4096

export interface OpenidProviderOptions {
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string
  /** 0 (default) takes a free port. */
  readonly port?: number
  /** Where callers and browsers reach it; default `http://<host>:<port>`. */
  readonly issuer?: string
  /** Exact redirect addresses of the dashboard. */
  readonly redirect_uris: readonly string[]
  readonly dashboard_secret: string
  /**
   * Whether `GET /demo/token/<person>` hands a fresh access token to whoever asks, without a sign-in.
   * Default: only to callers from loopback, and only when listening there.
   */
  readonly open_tokens?: boolean
}

export interface OpenidProvider {
  readonly issuer: string
  readonly port: number
  /** A fresh access token (JWT, RS256, 1 h) of one of the demo's people. */
  token(person: string): Promise<string>
  close(): Promise<void>
}

/** Starts the demo's OpenID provider: real `oidc-provider`, keys made at start, state in memory. */
export async function startOpenidProvider(options: OpenidProviderOptions): Promise<OpenidProvider> {
  const host = options.host ?? '127.0.0.1'
  // The issuer is part of the provider, and holds the port: listen first, then build it.
  let handler: RequestListener = (_request, response) => response.writeHead(503).end()
  const server = createServer((request, response) => handler(request, response))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, host, resolve)
  })
  const port = (server.address() as AddressInfo).port
  const issuer = options.issuer ?? `http://${host}:${port}`
  const provider = new Provider(issuer, await configuration(options))
  const openTokens = options.open_tokens ?? isLoopback(host)
  provider.use((ctx, next) => serveOwnPages(provider, openTokens, ctx, next))
  handler = provider.callback()
  return {
    issuer,
    port,
    token: (person) => issueToken(provider, person),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function configuration(options: OpenidProviderOptions): Promise<Record<string, unknown>> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  const key = {
    ...privateKey.export({ format: 'jwk' }),
    alg: 'RS256',
    use: 'sig',
    kid: randomBytes(6).toString('hex'),
  }
  return {
    adapter: createOidcStorage(),
    jwks: { keys: [key] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    clients: [
      {
        client_id: demo_dashboard_client,
        client_name: 'Sluice',
        client_secret: options.dashboard_secret,
        redirect_uris: options.redirect_uris,
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
      },
      {
        client_id: demo_device_client,
        client_name: 'the sluice command',
        token_endpoint_auth_method: 'none',
        redirect_uris: [],
        response_types: [],
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
      },
    ],
    claims: {
      openid: ['sub', 'email', 'name', 'groups'],
      email: ['email'],
      profile: ['name'],
      groups: ['groups'],
    },
    conformIdTokenClaims: false,
    scopes: ['openid', 'email', 'profile', 'groups', 'offline_access'],
    ttl: {
      AccessToken: token_seconds,
      AuthorizationCode: 60,
      DeviceCode: 600,
      Grant: 86_400,
      IdToken: token_seconds,
      Interaction: 600,
      RefreshToken: 86_400,
      Session: 86_400,
    },
    features: {
      devInteractions: { enabled: false },
      deviceFlow: { enabled: true, ...devicePages },
      introspection: { enabled: true },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: () => resourceServer,
      },
    },
    interactions: { url: (_ctx: unknown, interaction: { uid: string }) => `/interaction/${interaction.uid}` },
    findAccount: (_ctx: unknown, id: string) => findAccount(id),
    extraTokenClaims: (_ctx: unknown, token: { accountId: string }) => tokenClaims(token.accountId),
    loadExistingGrant: grantEverything,
    renderError: renderError,
    pkce: { required: () => true },
    clientBasedCORS: () => false,
  }
}

const resourceServer = {
  scope: 'openid email profile groups',
  audience: demo_audience,
  accessTokenTTL: token_seconds,
  accessTokenFormat: 'jwt',
  jwt: { sign: { alg: 'RS256' } },
}

const devicePages = {
  userCodeInputSource(ctx: KoaContext, form: string, _out: unknown, error?: Error) {
    ctx.type = 'html'
    const hint = error
      ? 'That code is not known or has expired. Try again.'
      : 'Enter the code that the terminal shows.'
    ctx.body = page(
      'Enter the code',
      `<h1>Enter the code</h1><p>${hint}</p>${form}<button type="submit" form="op.deviceInputForm">Continue</button>`,
    )
  },
  userCodeConfirmSource(ctx: KoaContext, form: string, _client: unknown, _info: unknown, userCode: string) {
    ctx.type = 'html'
    ctx.body = page(
      'Confirm the code',
      `<h1>Is this the code in your terminal?</h1><p><code>${escapeHtml(userCode)}</code></p>${form}
<button type="submit" form="op.deviceConfirmForm">Yes, go on</button>
<button type="submit" form="op.deviceConfirmForm" name="abort" value="yes">No, stop</button>`,
    )
  },
  successSource(ctx: KoaContext) {
    ctx.type = 'html'
    ctx.body = page(
      'Signed in',
      '<h1>Signed in</h1><p>You can close this page and go back to the terminal.</p>',
    )
  },
}

function renderError(ctx: KoaContext, out: Readonly<Record<string, string>>) {
  ctx.type = 'html'
  ctx.body = page(
    'Sign-in failed',
    `<h1>Sign-in failed</h1><p>${escapeHtml(out.error ?? '')}: ${escapeHtml(out.error_description ?? '')}</p>`,
  )
}

function tokenClaims(id: string): Record<string, unknown> | undefined {
  const person = findPerson(id)
  return person && { email: person.email, name: person.name, groups: person.groups }
}

function findAccount(id: string) {
  const claims = tokenClaims(id)
  return claims && { accountId: id, claims: async () => ({ sub: id, ...claims }) }
}

/** Nobody is asked for consent: every client of this provider is the demo's own. */
async function grantEverything(ctx: KoaContext & { oidc: { client: { clientId: string } } }) {
  const { provider, session, client } = ctx.oidc
  return createGrant(provider, session.accountId, client.clientId)
}

async function createGrant(provider: Provider, accountId: string, clientId: string) {
  const grant = new provider.Grant({ accountId, clientId })
  grant.addOIDCScope('openid email profile groups offline_access')
  grant.addResourceScope(resource, resourceServer.scope)
  await grant.save()
  return grant
}

async function issueToken(provider: Provider, person: string): Promise<string> {
  if (!findPerson(person)) {
    throw new Error(`no such person; there are ${people.map(({ id }) => id).join(', ')}`)
  }
  const client = await provider.Client.find(demo_device_client)
  const token = new provider.AccessToken({
    accountId: person,
    client,
    scope: 'openid email',
    gty: 'device_code',
    extra: tokenClaims(person),
    resourceServer: new provider.ResourceServer(resource, resourceServer),
  })
  return token.save()
}

function isLoopback(address: string): boolean {
  return address === '::1' || address === 'localhost' || /^(::ffff:)?127\./.test(address)
}

async function serveOwnPages(
  provider: Provider,
  openTokens: boolean,
  ctx: KoaContext,
  next: () => Promise<void>,
): Promise<void> {
  if (ctx.path.startsWith('/demo/token/') && ctx.method === 'GET') {
    if (openTokens) return serveToken(provider, ctx)
    ctx.status = 404
    return
  }
  if (ctx.path.startsWith('/interaction/')) return serveSignIn(provider, ctx)
  return next()
}

async function serveToken(provider: Provider, ctx: KoaContext): Promise<void> {
  const person = findPerson(ctx.path.slice('/demo/token/'.length))
  ctx.type = 'text/plain'
  ctx.set('cache-control', 'no-store')
  ctx.status = person ? 200 : 404
  ctx.body = person
    ? await issueToken(provider, person.id)
    : `no such person; there are ${people.map(({ id }) => id).join(', ')}\n`
}

async function serveSignIn(provider: Provider, ctx: KoaContext): Promise<void> {
  const details = await provider.interactionDetails(ctx.req, ctx.res)
  ctx.set('cache-control', 'no-store')
  if (ctx.method === 'POST') {
    const person = findPerson((await readForm(ctx.req)).get('person') ?? '')
    if (person) {
      ctx.status = 303
      await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: person.id } })
      return
    }
  }
  ctx.type = 'html'
  ctx.body = signInPage(details.params.client_id === demo_device_client ? 'the sluice command' : 'Sluice')
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length
    if (bytes > form_bytes_max) return new URLSearchParams()
    chunks.push(chunk as Buffer)
  }
  return new URLSearchParams(Buffer.concat(chunks).toString())
}
