import { madeUpSecrets, type MadeUpSecrets } from '../../src/demo/made_up_secrets.ts'

/** Credentials of one test file; no two files share any. */
export function secretsFor(file: string): MadeUpSecrets {
  return madeUpSecrets(`end-to-end ${file}`)
}

/** The text in pieces of the given lengths, over and over, so that every secret in it is cut. */
export function cut(text: string, ...lengths: number[]): string[] {
  const pieces: string[] = []
  for (let at = 0, turn = 0; at < text.length; turn++) {
    const length = lengths[turn % lengths.length] ?? 1
    pieces.push(text.slice(at, at + length))
    at += length
  }
  return pieces
}
