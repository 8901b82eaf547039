/** Bytes of a needle that are compared: a piece that is left of a secret shows as well as the whole. */
const piece_bytes = 16

/**
 * The text as it could stand in a file: plain, JSON-escaped, hex, percent-encoded, and base64 of both alphabets in each
 * alignment.
 */
export function encodings(secret: string): string[] {
  const hex = Buffer.from(secret).toString('hex')
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.from('\0'.repeat(shift) + secret).toString('base64')
    // The first and last characters also depend on the neighbours.
    return text.slice(shift === 0 ? 0 : 4, -4)
  })
  const url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))
  const percent = hex.replace(/../g, '%$&')
  const escaped = encodeURIComponent(secret)
  const plain = [secret, JSON.stringify(secret).slice(1, -1), escaped, escaped.toLowerCase()]
  return [...new Set([...plain, hex, hex.toUpperCase(), percent, percent.toUpperCase(), ...base64, ...url])]
}

/** Looks for any of many secrets in bytes, in one pass however many there are. */
export class SecretSearch {
  /** Secrets by the hashes of the middle and the end of their encodings; several share a hash at times. */
  readonly #pieces = new Map<number, { readonly piece: Buffer; secret: string }[]>()

  constructor(secrets: readonly string[]) {
    for (const secret of secrets) for (const text of encodings(secret)) this.#add(Buffer.from(text), secret)
  }

  get pieces(): number {
    return this.#pieces.size
  }

  #add(needle: Buffer, secret: string): void {
    if (needle.length < piece_bytes) throw new RangeError(`a secret is shorter than ${piece_bytes} bytes`)
    const last = needle.length - piece_bytes
    for (const at of new Set([last >> 1, last])) {
      const piece = needle.subarray(at, at + piece_bytes)
      const hash = hashOf(piece, 0)
      const same = this.#pieces.get(hash) ?? []
      this.#pieces.set(hash, same)
      const equal = same.find((other) => other.piece.equals(piece))
      if (equal === undefined) same.push({ piece, secret })
      // What two of them have in common, such as a token's claims, is no secret.
      else if (equal.secret !== secret) equal.secret = ''
    }
  }

  /** The secrets of which a piece stands in the bytes. */
  in(bytes: Uint8Array): string[] {
    const found = new Set<string>()
    if (bytes.length < piece_bytes) return []
    let hash = hashOf(bytes, 0)
    for (let at = 0; ; at++) {
      for (const { piece, secret } of this.#pieces.get(hash) ?? []) {
        if (secret !== '' && piece.equals(bytes.subarray(at, at + piece_bytes))) found.add(secret)
      }
      if (at + piece_bytes >= bytes.length) return [...found]
      hash = (Math.imul(hash - Math.imul(bytes[at]!, leaving), base) + bytes[at + piece_bytes]!) | 0
    }
  }
}

const base = 0x01000193
let leaving = 1
for (let n = 1; n < piece_bytes; n++) leaving = Math.imul(leaving, base)

/** A rolling hash (Rabin and Karp's) of the bytes from `at` on. */
function hashOf(bytes: Uint8Array, at: number): number {
  let hash = 0
  for (let n = 0; n < piece_bytes; n++) hash = (Math.imul(hash, base) + bytes[at + n]!) | 0
  return hash
}
