/** Appends blocks to one growing buffer, each aligned to 16 bytes, and tells their offsets. */
export class TableWriter {
  #bytes = new Uint8Array(1 << 20)
  #end = 0

  /** @returns the offset of `size` zeroed bytes */
  reserve(size: number): number {
    const at = (this.#end + 15) & ~15
    this.#end = at + size
    if (this.#end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#end))
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    return at
  }

  /** @returns the offset of a copy of `block` */
  append(block: Uint8Array): number {
    const at = this.reserve(block.length)
    this.#bytes.set(block, at)
    return at
  }

  /** @returns the offset of `words`, as 32-bit little-endian */
  appendWords(words: readonly number[]): number {
    const at = this.reserve(words.length * 4)
    this.words(at, words)
    return at
  }

  words(at: number, words: readonly number[]): void {
    for (const [i, word] of words.entries()) this.setWord(at + i * 4, word)
  }

  setWord(at: number, word: number): void {
    new DataView(this.#bytes.buffer).setUint32(at, word, true)
  }

  word(at: number): number {
    return new DataView(this.#bytes.buffer).getUint32(at, true)
  }

  /** All that was appended; a view. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#end)
  }
}
