const SPARE_BYTES = 512 * 1024 // the server's read size
const SPARES_MAX = 32

/**
 * Memory that was used before, shared by a thread's backlogs. The first touch of fresh memory is what makes copying slow,
 * and as long as copying is slower than a fast sender, the server does not get to the end of what it reads.
 */
const spares: Uint8Array[] = []
let spares_made = false

function spare(): Uint8Array {
  if (!spares_made) {
    spares_made = true
    for (let i = 0; i < SPARES_MAX; i++) spares.push(Buffer.allocUnsafeSlow(SPARE_BYTES).fill(0))
  }
  return spares.pop() ?? Buffer.allocUnsafeSlow(SPARE_BYTES)
}

/** Pieces of a request body that came while nobody wanted them, in order. */
export class Backlog {
  /** Bytes in all backlogs of this thread. */
  static total_bytes = 0
  bytes = 0
  readonly #pieces: Uint8Array[] = []

  get isEmpty(): boolean {
    return this.#pieces.length === 0
  }

  /** @param buffer copied */
  push(buffer: ArrayBuffer): void {
    const { byteLength } = buffer
    this.#count(byteLength)
    const large = byteLength > SPARE_BYTES / 4 && byteLength <= SPARE_BYTES
    const piece = large ? spare().subarray(0, byteLength) : Buffer.allocUnsafeSlow(byteLength)
    piece.set(new Uint8Array(buffer))
    this.#pieces.push(piece)
  }

  /** Takes the oldest piece out for as long as `use` runs. */
  take(use: (piece: Uint8Array) => void): void {
    const piece = this.#pieces.shift()!
    this.#count(-piece.byteLength)
    use(piece)
    giveBack(piece)
  }

  clear(): void {
    for (const piece of this.#pieces) giveBack(piece)
    this.#pieces.length = 0
    this.#count(-this.bytes)
  }

  #count(bytes: number): void {
    this.bytes += bytes
    Backlog.total_bytes += bytes
  }
}

function giveBack(piece: Uint8Array): void {
  if (piece.buffer.byteLength !== SPARE_BYTES || spares.length >= SPARES_MAX) return
  spares.push(new Uint8Array(piece.buffer))
}
