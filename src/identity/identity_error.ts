/** Why a token was not accepted. Stable; recorded. */
export type IdentityErrorCode =
  | 'token_malformed'
  | 'token_too_large'
  | 'issuer_unknown'
  | 'algorithm_not_allowed'
  /** The token names a key that is not among the issuer's known ones: fresh keys may help. */
  | 'key_unknown'
  | 'signature_invalid'
  | 'token_expired'
  | 'token_not_yet_valid'
  | 'audience_mismatch'
  | 'claim_invalid'
  /** The token was given to a client that is not among `authorized_parties`. */
  | 'party_not_allowed'
  /** The issuer says that the opaque token is not, or no longer, good. */
  | 'token_inactive'
  /** The issuer could not be asked about an opaque token. */
  | 'introspection_unavailable'
  /** The issuer left the groups out because there are too many (Azure's "overage"). */
  | 'groups_overage'
  /** Not of the shape of an API key, or with a wrong checksum. */
  | 'api_key_malformed'
  /** Never made, or revoked. */
  | 'api_key_unknown'
  | 'api_key_expired'

/** A token that proves nothing. The message tells the caller what to do and never holds a part of the token's signature. */
export class IdentityError extends Error {
  readonly code: IdentityErrorCode
  /** For `key_unknown`: who should have the key, and its `kid` (at most 200 characters, empty when the token has none). */
  readonly issuer: string
  readonly key_id: string

  constructor(code: IdentityErrorCode, message: string, key: { issuer: string; key_id: string } = NO_KEY) {
    super(message)
    this.name = 'IdentityError'
    this.code = code
    this.issuer = key.issuer
    this.key_id = key.key_id
  }
}

const NO_KEY = { issuer: '', key_id: '' }
