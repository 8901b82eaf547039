import { createHash } from 'node:crypto'

/** Hex SHA-256 of a preview's UTF-8: what a decision says that the person saw. */
export function previewDigest(preview: string): string {
  return createHash('sha256').update(preview).digest('hex')
}
