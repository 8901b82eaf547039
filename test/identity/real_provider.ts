import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'
import Provider from 'oidc-provider'
import type { ConfiguredIssuer } from '../../src/identity/issuer_keys.ts'

export interface SigningKey {
  readonly kid: string
  readonly private_jwk: Record<string, unknown>
  readonly public_jwk: Record<string, unknown>
  readonly private_key: CryptoKey
}

export async function signingKey(kid: string, alg = 'RS256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const describe = async (key: CryptoKey) => ({ ...(await exportJWK(key)), kid, alg, use: 'sig' })
  return {
    kid,
    private_jwk: await describe(privateKey),
    public_jwk: await describe(publicKey),
    private_key: privateKey,
  }
}

export interface RealProvider {
  readonly issuer: string
  readonly configured: ConfiguredIssuer
  /** An access token from the real token endpoint (client credentials), with these extra claims. */
  token(claims?: Record<string, unknown>): Promise<string>
  /** The same, but a random string that only the provider understands. `resource` names another audience. */
  opaqueToken(claims?: Record<string, unknown>, resource?: string): Promise<string>
  /** RFC 7009. */
  revoke(token: string): Promise<void>
  /** The client that may introspect. */
  readonly introspection: { readonly client_id: string; readonly client_secret: string }
  /** How often it was asked about a token. */
  introspections(): number
  /** Signs with this key from now on and publishes only it. */
  rotate(key: SigningKey): void
  /** How often the key set was asked for. */
  key_requests(): number
  /** Answers everything with 503 while true. */
  down: boolean
  close(): Promise<void>
}

const AUDIENCE = 'sluice'
const SECRET = 'only-for-this-test'

/** The real `oidc-provider` on loopback. */
export async function startProvider(key: SigningKey): Promise<RealProvider> {
  let listener: RequestListener = (_req, res) => res.end()
  let key_requests = 0
  let introspections = 0
  let extra: Record<string, unknown> = {}
  const server = createServer((req, res) => {
    if (provider.down) {
      res.statusCode = 503
      return void res.end('down')
    }
    if (req.url?.startsWith('/jwks')) key_requests++
    if (req.url?.startsWith('/token/introspection')) introspections++
    listener(req, res)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const serve = (signing: SigningKey) => {
    listener = new Provider(
      issuer,
      configuration(signing, () => extra),
    ).callback()
  }
  serve(key)

  const basic = { authorization: `Basic ${Buffer.from(`caller:${SECRET}`).toString('base64')}` }
  const ask = async (claims: Record<string, unknown> = {}, resource: string) => {
    extra = claims
    const body = new URLSearchParams({ grant_type: 'client_credentials', scope: 'api', resource })
    const response = await fetch(`${issuer}/token`, { method: 'POST', headers: basic, body })
    const { access_token } = (await response.json()) as { access_token: string }
    return access_token
  }

  const provider: RealProvider = {
    issuer,
    configured: { issuer, audience: AUDIENCE, groups_claim: 'groups', algorithms: ['RS256', 'ES256'] },
    down: false,
    key_requests: () => key_requests,
    rotate: serve,
    token: (claims) => ask(claims, 'urn:sluice'),
    opaqueToken: (claims, resource = 'urn:opaque') => ask(claims, resource),
    async revoke(token) {
      await fetch(`${issuer}/token/revocation`, {
        method: 'POST',
        headers: basic,
        body: new URLSearchParams({ token }),
      })
    },
    introspection: { client_id: 'caller', client_secret: SECRET },
    introspections: () => introspections,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return provider
}

function configuration(key: SigningKey, extra: () => Record<string, unknown>): Record<string, unknown> {
  return {
    clients: [
      {
        client_id: 'caller',
        client_secret: SECRET,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    jwks: { keys: [key.private_jwk] },
    cookies: { keys: ['only-for-this-test'] },
    extraTokenClaims: extra,
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_ctx: unknown, resource: string) => ({
          scope: 'api',
          audience: resource === 'urn:other' ? 'somebody-else' : AUDIENCE,
          accessTokenFormat: resource === 'urn:sluice' ? 'jwt' : 'opaque',
          accessTokenTTL: 300,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  }
}
