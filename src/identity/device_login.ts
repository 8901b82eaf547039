import * as openid from 'openid-client'

/** Where a person signs in from a terminal, and as which client. */
export interface DeviceClient {
  readonly issuer: string
  readonly client_id: string
  /** Blanks between them. */
  readonly scope: string
  /** RFC 8707; empty: not sent. Some providers issue a JWT for the gateway only when it is named. */
  readonly resource: string
}

/** Tokens of a person. */
export interface KeptTokens {
  readonly access_token: string
  /** In ms since the epoch. */
  readonly expires_at: number
  /** Null when the provider gives none: then the person signs in again. */
  readonly refresh_token: string | null
}

/** What the person has to do, somewhere with a browser. */
export interface DevicePrompt {
  readonly url: string
  readonly code: string
  /** The address with the code in it; null when the provider has none. */
  readonly complete_url: string | null
}

const timeout_s = 15

/**
 * Signs a person in by the device authorization grant (RFC 8628): resolves once they have confirmed.
 * @throws Error when the provider cannot be reached, refuses, or the code expires
 */
export async function signInByDevice(
  client: DeviceClient,
  show: (prompt: DevicePrompt) => void,
): Promise<KeptTokens> {
  const configuration = await discover(client)
  const device = await openid.initiateDeviceAuthorization(configuration, {
    ...parameters(client),
    scope: client.scope,
  })
  show({
    url: device.verification_uri,
    code: device.user_code,
    complete_url: device.verification_uri_complete ?? null,
  })
  return kept(await openid.pollDeviceAuthorizationGrant(configuration, device, parameters(client)), null)
}

/** Fresh tokens for a refresh token (RFC 6749 section 6). @throws Error when it is not accepted any more */
export async function refreshTokens(client: DeviceClient, refresh_token: string): Promise<KeptTokens> {
  const configuration = await discover(client)
  return kept(await openid.refreshTokenGrant(configuration, refresh_token, parameters(client)), refresh_token)
}

/** The provider's own code for a refusal, such as `invalid_grant`; null when it was not the provider that refused. */
export function refusalCode(error: unknown): string | null {
  return error instanceof openid.ResponseBodyError ? error.error : null
}

function discover({ issuer, client_id }: DeviceClient): Promise<openid.Configuration> {
  // Only for a provider that is named with http: by the person, such as the demo's.
  const execute = issuer.startsWith('http:') ? [openid.allowInsecureRequests] : []
  return openid.discovery(new URL(issuer), client_id, undefined, openid.None(), {
    execute,
    timeout: timeout_s,
  })
}

function parameters({ resource }: DeviceClient): Record<string, string> {
  return resource === '' ? {} : { resource }
}

function kept(
  tokens: Awaited<ReturnType<typeof openid.refreshTokenGrant>>,
  before: string | null,
): KeptTokens {
  const { access_token, refresh_token } = tokens
  const seconds = tokens.expiresIn() ?? 60
  return { access_token, expires_at: Date.now() + seconds * 1000, refresh_token: refresh_token ?? before }
}
