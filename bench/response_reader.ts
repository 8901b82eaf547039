/** One whole HTTP/1.1 response. */
export interface ReadResponse {
  readonly status: number
  readonly body: Buffer
}

const head_end = Buffer.from('\r\n\r\n')
const empty: Buffer = Buffer.alloc(0)

/** Reads HTTP/1.1 responses from a socket's chunks, one after another: `content-length` and `chunked` (RFC 9112). */
export class ResponseReader {
  #held: Buffer = empty

  /** @returns the response once it is whole, else null. @throws when it is not a response this reader knows. */
  push(chunk: Buffer): ReadResponse | null {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    const end = this.#held.indexOf(head_end)
    if (end < 0) return null
    const head = this.#held.toString('latin1', 0, end)
    const start = end + head_end.length
    const status = Number(head.slice(9, 12))
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    if (length !== undefined) return this.#take(status, start, start + Number(length))
    if (/\r\ntransfer-encoding: *chunked/i.test(head)) return this.#takeChunked(status, start)
    throw new Error('a response has neither content-length nor chunked encoding')
  }

  #take(status: number, start: number, end: number): ReadResponse | null {
    if (this.#held.length < end) return null
    const body = this.#held.subarray(start, end)
    this.#held = this.#held.subarray(end)
    return { status, body }
  }

  #takeChunked(status: number, start: number): ReadResponse | null {
    const parts: Buffer[] = []
    for (let at = start; ; ) {
      const line = this.#held.indexOf('\r\n', at)
      if (line < 0) return null
      const size = Number.parseInt(this.#held.toString('latin1', at, line), 16)
      if (Number.isNaN(size)) throw new Error('a chunk has no size')
      const next = line + 2 + size + 2
      if (this.#held.length < next) return null
      if (size === 0) {
        this.#held = this.#held.subarray(next)
        return { status, body: Buffer.concat(parts) }
      }
      parts.push(this.#held.subarray(line + 2, line + 2 + size))
      at = next
    }
  }
}
