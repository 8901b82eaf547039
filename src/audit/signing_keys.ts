import { appendFile, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AuditError } from './audit_error.ts'
import { type HeadSigner, headSigner, keyIdOf, newSigningKey } from './tree_head.ts'

/** Every public key that this gateway signed with, as JSON lines: heads of before a rotation stay verifiable. */
const public_keys_file = 'audit-signing-keys.jsonl'
const private_key_file = 'audit-signing.key'

export interface SigningKeys {
  /** PEM. */
  readonly private_key: string
  /** By key id: this one and those before it, PEM. */
  readonly public_keys: ReadonlyMap<string, string>
}

/**
 * Reads the signing key from `folder`, made there with mode 0600 when missing. Another key than the last time is a
 * rotation: the public key is added to the list of known ones.
 * @param given PEM; instead of the file's
 * @throws AuditError `signing_key`
 */
export async function openSigningKeys(folder: string, given: string | null): Promise<SigningKeys> {
  const private_key = given ?? (await readOrMake(join(folder, private_key_file)))
  let signer: HeadSigner
  try {
    signer = headSigner(private_key)
  } catch (error) {
    throw new AuditError('signing_key', (error as Error).message)
  }
  const file = join(folder, public_keys_file)
  const public_keys = await readPublicKeys(file)
  if (!public_keys.has(signer.key_id)) {
    public_keys.set(signer.key_id, signer.public_key)
    const { key_id, public_key } = signer
    await appendFile(file, `${JSON.stringify({ key_id, public_key, since: new Date().toISOString() })}\n`)
  }
  return { private_key, public_keys }
}

async function readOrMake(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw new AuditError('signing_key', `cannot read ${file}: ${error.code}`)
  })
  if (text !== null) return text
  const made = newSigningKey()
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.writeFile(made)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return made
}

async function readPublicKeys(file: string): Promise<Map<string, string>> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const keys = new Map<string, string>()
  for (const line of text.split('\n')) {
    if (line === '') continue
    try {
      const { public_key } = JSON.parse(line) as { public_key: string }
      keys.set(keyIdOf(public_key), public_key)
    } catch {
      throw new AuditError('signing_key', `${file} has a line that is no public key`)
    }
  }
  return keys
}
