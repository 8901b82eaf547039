/** Who calls, and how they proved it. Plain data: crosses threads and is stored in the audit. */
export interface Principal {
  /** `sub` of the token, or the API key's id. Unique within `issuer`. */
  readonly subject: string
  /** `email` claim; empty when the token has none. */
  readonly email: string
  /** Groups from the configured claim, as the issuer spells them. */
  readonly groups: readonly string[]
  /** `iss` of the token; `sluice` for API keys. */
  readonly issuer: string
  /** How the caller proved it. */
  readonly proof: 'oidc' | 'api_key'
  /** When the proof stops being valid, in seconds since the epoch. */
  readonly expires_at: number
}
