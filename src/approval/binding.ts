import { createHmac, type Hmac } from 'node:crypto'

/** Everything that makes two requests the same request. A change in any of them needs a new approval. */
export interface BindingParts {
  /** `iss` of the caller's proof; `sub` is unique only within it. */
  readonly issuer: string
  readonly subject: string
  readonly connection: string
  readonly method: string
  /** Upstream path, normalised. */
  readonly path: string
  /** Without the leading `?`, the caller's credential removed, not masked. */
  readonly query: string
  /** From `bodyDigest`, over the bytes as the caller sent them. */
  readonly body_digest: Uint8Array
  readonly policy_version: string
}

const BODY_LABEL = 'sluice approval body v1\0'
const REQUEST_LABEL = 'sluice approval request v1\0'

/** Keyed digest of a body that is still coming in: `update` with each raw chunk, then `digest()`. */
export function bodyDigest(key: Uint8Array): Hmac {
  return createHmac('sha256', key).update(BODY_LABEL)
}

/**
 * The binding of an approval: hex HMAC-SHA-256 over all parts, each with its length in front, so that no two different
 * requests share an encoding.
 */
export function bindRequest(key: Uint8Array, parts: BindingParts): string {
  const hmac = createHmac('sha256', key).update(REQUEST_LABEL)
  const { issuer, subject, connection, method, path, query, body_digest, policy_version } = parts
  for (const part of [issuer, subject, connection, method, path, query, body_digest, policy_version]) {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'utf8') : part
    const length = Buffer.allocUnsafe(4)
    length.writeUInt32BE(bytes.byteLength)
    hmac.update(length).update(bytes)
  }
  return hmac.digest('hex')
}
