import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { canonicalJson } from '../config/canonical_json.ts'

/** What is signed of a tree. */
export interface TreeHead {
  readonly log_id: string
  /** Sequence of the record whose leaf is the first. */
  readonly first_sequence: number
  readonly tree_size: number
  /** Hexadecimal. */
  readonly root: string
  /** Milliseconds since the epoch. */
  readonly signed_at: number
}

export interface SignedTreeHead extends TreeHead {
  /** First 16 hexadecimal digits of the SHA-256 of the public key's SubjectPublicKeyInfo (RFC 8410). */
  readonly key_id: string
  /** Ed25519 (RFC 8032), base64. */
  readonly signature: string
}

export interface HeadSigner {
  readonly key_id: string
  /** PEM. */
  readonly public_key: string
  sign(head: TreeHead): SignedTreeHead
}

/** Keeps a signature over a head from being one over anything else. */
const context = 'sluice tree head v1\n'

function signedText({ log_id, first_sequence, tree_size, root, signed_at }: TreeHead): Buffer {
  return Buffer.from(context + canonicalJson({ log_id, first_sequence, tree_size, root, signed_at }))
}

export function newSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
}

/** @throws TypeError when `private_key` is not an Ed25519 key in PEM */
export function headSigner(private_key: string): HeadSigner {
  let key: KeyObject
  try {
    key = createPrivateKey(private_key)
  } catch {
    throw new TypeError('the signing key of the audit is not a private key in PEM')
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new TypeError('the signing key of the audit is not an Ed25519 key')
  const public_key = createPublicKey(key)
  const key_id = keyId(public_key)
  return {
    key_id,
    public_key: public_key.export({ format: 'pem', type: 'spki' }) as string,
    sign: (head) => ({ ...head, key_id, signature: sign(null, signedText(head), key).toString('base64') }),
  }
}

/** Whether somebody with this public key signed this head. */
export function isSignedBy(head: SignedTreeHead, public_key: string): boolean {
  try {
    const key = createPublicKey(public_key)
    if (key.asymmetricKeyType !== 'ed25519' || keyId(key) !== head.key_id) return false
    return verify(null, signedText(head), key, Buffer.from(head.signature, 'base64'))
  } catch {
    return false
  }
}

/** @throws when it is no public key in PEM */
export function keyIdOf(public_key: string): string {
  return keyId(createPublicKey(public_key))
}

function keyId(public_key: KeyObject): string {
  const spki = public_key.export({ format: 'der', type: 'spki' })
  return createHash('sha256').update(spki).digest('hex').slice(0, 16)
}
