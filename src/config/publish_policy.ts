import { isDeepStrictEqual } from 'node:util'
import { IdentityError } from '../identity/identity_error.ts'
import { createIntrospector, type Introspected, type Introspector } from '../identity/introspector.ts'
import { createIssuerKeys, type IssuerKeys } from '../identity/issuer_keys.ts'
import { createTokenVerifier, type TokenVerifier } from '../identity/verify_token.ts'
import { createUpstreamTokens, type UpstreamTokens } from '../identity/upstream_tokens.ts'
import type { Log } from '../log.ts'
import type { Principal } from '../policy/principal.ts'
import type { Snapshot, TrustedIssuer } from '../policy/snapshot.ts'
import { buildSnapshot, no_additions, type PolicyAdditions } from './build_snapshot.ts'
import type { Config } from './config.ts'
import { publicIssuer } from './public_issuer.ts'

/** The policy in force: made from the configuration and the issuers' keys, and made anew when either changes. */
export interface PolicyPublisher {
  /** As read from the file. */
  config(): Config
  /** With what was added to the file's. */
  connections(): Config['connections']
  snapshot(): Snapshot
  /** Verifies tokens against the keys known now. */
  verifier(): TokenVerifier
  /** Calls back with each later snapshot. */
  onPublish(published: (snapshot: Snapshot) => void): void
  /** Asks the issuers about a token that is no JWT. */
  introspect(token: string): Promise<Introspected>
  /** A token named a key that nobody knows; asks its issuer, rate-limited. */
  refetchKeys(issuer: string): void
  /** Puts another configuration in force; the previous one stays until its issuers were asked for their keys. */
  replace(config: Config): Promise<void>
  /** Puts other additions to the configuration in force; at once, because nothing has to be fetched. */
  add(additions: Partial<PolicyAdditions>): void
  stop(): void
}

/** Fetches the issuers' keys and makes the first snapshot. An issuer that is down delays nothing and is tried again. */
export async function publishPolicy(
  config: Config,
  fingerprint_key: Uint8Array,
  log: Log,
): Promise<PolicyPublisher> {
  const publisher = new Publisher(config, fingerprint_key, log)
  await publisher.start()
  return publisher
}

class Publisher implements PolicyPublisher {
  #config: Config
  #keys: IssuerKeys
  #introspector: Introspector
  readonly #tokens: UpstreamTokens
  #snapshot: Snapshot
  #verifier: TokenVerifier
  #additions = no_additions
  readonly #fingerprint_key: Uint8Array
  readonly #log: Log
  readonly #published: ((snapshot: Snapshot) => void)[] = []

  constructor(config: Config, fingerprint_key: Uint8Array, log: Log) {
    this.#config = config
    this.#fingerprint_key = fingerprint_key
    this.#log = log
    this.#keys = createIssuerKeys(config.identity.issuers.map(publicIssuer), log)
    this.#introspector = createIntrospector(config.identity.issuers, log)
    this.#tokens = createUpstreamTokens(log, () => this.#publish())
    this.#followTokens()
    this.#snapshot = buildSnapshot(
      config,
      this.#keys.trusted(),
      fingerprint_key,
      no_additions,
      (credential) => this.#tokens.resolve(credential),
    )
    this.#verifier = createTokenVerifier(this.#snapshot.issuers)
  }

  async start(): Promise<void> {
    await this.#keys.start()
    this.#publish()
    this.#follow(this.#keys)
  }

  config(): Config {
    return this.#config
  }

  connections(): Config['connections'] {
    return { ...this.#additions.connections, ...this.#config.connections }
  }

  snapshot(): Snapshot {
    return this.#snapshot
  }

  verifier(): TokenVerifier {
    const { cached, verify } = this.#verifier
    return { cached, verify: (token) => verify(token).catch((error) => this.#opaque(token, error)) }
  }

  introspect(token: string): Promise<Introspected> {
    return this.#introspector.ask(token)
  }

  onPublish(published: (snapshot: Snapshot) => void): void {
    this.#published.push(published)
  }

  refetchKeys(issuer: string): void {
    this.#keys.refetch(issuer)
  }

  async replace(config: Config): Promise<void> {
    if (!isDeepStrictEqual(config.identity.issuers, this.#config.identity.issuers)) {
      const keys = createIssuerKeys(config.identity.issuers.map(publicIssuer), this.#log)
      await keys.start()
      this.#keys.stop()
      this.#keys = keys
      this.#introspector.stop()
      this.#introspector = createIntrospector(config.identity.issuers, this.#log)
      this.#follow(keys)
    }
    this.#config = config
    this.#followTokens()
    this.#publish()
  }

  add(additions: Partial<PolicyAdditions>): void {
    this.#additions = { ...this.#additions, ...additions }
    this.#followTokens()
    this.#publish()
  }

  stop(): void {
    this.#keys.stop()
    this.#introspector.stop()
    this.#tokens.stop()
  }

  #followTokens(): void {
    this.#tokens.follow(Object.values(this.connections()).map(({ credential }) => credential))
  }

  /** What is no JWT may be a good token all the same. */
  async #opaque(token: string, error: unknown): Promise<Principal> {
    const asked = this.#snapshot.issuers.some(({ introspects }) => introspects)
    if (!asked || !(error instanceof IdentityError) || error.code !== 'token_malformed') throw error
    const answer = await this.introspect(token)
    if ('principal' in answer) return answer.principal
    throw new IdentityError(answer.code, answer.message)
  }

  #follow(keys: IssuerKeys): void {
    keys.onChange(() => {
      if (keys === this.#keys) this.#publish()
    })
  }

  #publish(): void {
    const trusted = this.#keys.trusted().map((issuer) => keepKeys(issuer, this.#snapshot.issuers))
    this.#snapshot = buildSnapshot(
      this.#config,
      trusted,
      this.#fingerprint_key,
      this.#additions,
      (credential) => this.#tokens.resolve(credential),
    )
    this.#verifier = createTokenVerifier(this.#snapshot.issuers)
    for (const published of this.#published) published(this.#snapshot)
  }
}

/** An issuer that stays but cannot be reached at this moment keeps the keys it had. */
function keepKeys(issuer: TrustedIssuer, before: readonly TrustedIssuer[]): TrustedIssuer {
  if (issuer.jwks.keys.length > 0) return issuer
  const known = before.find((each) => each.issuer === issuer.issuer)
  return known ? { ...issuer, jwks: known.jwks } : issuer
}
