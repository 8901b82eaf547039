const bytes_min = 4096

/** Bytes in a row: some are put at its end, some are taken from its front. Costs what goes through it, however much waits. */
export class EventQueue {
  #bytes = new Uint8Array(0)
  #from = 0
  #to = 0

  get length(): number {
    return this.#to - this.#from
  }

  /** What is in it: a view, valid until the next call. */
  get view(): Uint8Array {
    return this.#bytes.subarray(this.#from, this.#to)
  }

  /** Its last byte. */
  get last(): number | undefined {
    return this.#to > this.#from ? this.#bytes[this.#to - 1] : undefined
  }

  append(more: Uint8Array): void {
    if (more.length === 0) return
    if (this.#to + more.length > this.#bytes.length) this.#makeRoom(more.length)
    this.#bytes.set(more, this.#to)
    this.#to += more.length
  }

  /** Takes the first `count` bytes away. */
  drop(count: number): void {
    this.#from += count
    if (this.#from < this.#to) return
    this.#from = 0
    this.#to = 0
    if (this.#bytes.length > bytes_min) this.#bytes = new Uint8Array(0)
  }

  #makeRoom(more: number): void {
    const { view } = this
    // half of it is free afterwards at least, so that each byte is moved a few times at most
    const size = 2 ** Math.ceil(Math.log2(Math.max(bytes_min, 2 * (view.length + more))))
    const bytes = size > this.#bytes.length ? new Uint8Array(size) : this.#bytes
    bytes.set(view)
    this.#to = view.length
    this.#from = 0
    this.#bytes = bytes
  }
}
