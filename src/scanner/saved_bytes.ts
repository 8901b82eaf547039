const empty = new Uint8Array(0)

/** A growable copy of bytes that the engine wants back at the next call. */
export class SavedBytes {
  bytes = empty
  length = 0

  keep(memory: Uint8Array, at: number, length: number): void {
    if (length > this.bytes.length)
      this.bytes = new Uint8Array(Math.max(64, 1 << (32 - Math.clz32(length - 1))))
    if (length > 0) this.bytes.set(memory.subarray(at, at + length))
    this.length = length
  }

  restore(memory: Uint8Array, at: number): void {
    if (this.length === this.bytes.length) memory.set(this.bytes, at)
    else if (this.length > 0) memory.set(this.bytes.subarray(0, this.length), at)
  }
}
