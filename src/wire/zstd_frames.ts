import { Transform, type TransformCallback } from 'node:stream'

/** A body ended in the middle of a Zstandard frame, or what follows one is none. */
export class ZstdFrameError extends Error {
  readonly code: 'truncated' | 'corrupt'

  constructor(code: ZstdFrameError['code']) {
    super(`zstd: ${code}`)
    this.name = 'ZstdFrameError'
    this.code = code
  }
}

type State =
  | 'magic'
  | 'skippable_size'
  | 'descriptor'
  | 'header' // window, dictionary id, content size
  | 'block_header'
  | 'block'
  | 'checksum'

const MAGIC = 0xfd2fb528
/** The lowest four bits are free (RFC 8878 section 3.1.2). */
const SKIPPABLE_MAGIC = 0x184d2a50
const RLE_BLOCK = 1
const RESERVED_BLOCK = 3

/**
 * Where the frames of a Zstandard body end (RFC 8878 section 3.1). Node's decoder neither says that the last frame is
 * incomplete nor goes on behind a frame within one write, so a chunk is handed on in pieces that end where frames end.
 */
export class ZstdFrames extends Transform {
  #state: State = 'magic'
  /** Little-endian number that is being read, and how many bytes of it are here. */
  #number = 0
  #number_bytes = 0
  /** Bytes of the current header part or block that are still to come. */
  #left = 0
  #checksum = false
  #last_block = false

  override _transform(chunk: Buffer, _encoding: unknown, done: TransformCallback): void {
    try {
      let begin = 0
      for (let at = 0; at < chunk.length; ) {
        at = this.#step(chunk, at)
        if (this.#state !== 'magic' || this.#number_bytes > 0) continue
        this.push(chunk.subarray(begin, at))
        begin = at
      }
      if (begin < chunk.length) this.push(chunk.subarray(begin))
    } catch (error) {
      done(error as Error)
      return
    }
    done()
  }

  override _flush(done: TransformCallback): void {
    const whole = this.#state === 'magic' && this.#number_bytes === 0
    done(whole ? null : new ZstdFrameError('truncated'))
  }

  /** @returns the offset behind what it took, at least one byte */
  #step(chunk: Buffer, at: number): number {
    switch (this.#state) {
      case 'magic':
        if (this.#take(chunk[at]!, 4)) this.#onMagic(this.#taken())
        return at + 1
      case 'skippable_size':
        if (this.#take(chunk[at]!, 4)) this.#skip('magic', this.#taken())
        return at + 1
      case 'descriptor':
        this.#onDescriptor(chunk[at]!)
        return at + 1
      case 'block_header':
        if (this.#take(chunk[at]!, 3)) this.#onBlockHeader(this.#taken())
        return at + 1
      default: {
        const taken = Math.min(this.#left, chunk.length - at)
        this.#left -= taken
        if (this.#left === 0) this.#onPassed()
        return at + taken
      }
    }
  }

  #take(byte: number, bytes: number): boolean {
    this.#number += byte * 2 ** (8 * this.#number_bytes)
    return ++this.#number_bytes === bytes
  }

  #taken(): number {
    const number = this.#number
    this.#number = 0
    this.#number_bytes = 0
    return number
  }

  #skip(state: State, bytes: number): void {
    this.#state = state
    this.#left = bytes
    if (bytes > 0 && state === 'magic') this.#state = 'checksum' // a skippable frame ends as one with a checksum does
  }

  #onMagic(magic: number): void {
    if (magic === MAGIC) this.#state = 'descriptor'
    else if (magic - (magic % 16) === SKIPPABLE_MAGIC) this.#state = 'skippable_size'
    else throw new ZstdFrameError('corrupt')
  }

  #onDescriptor(descriptor: number): void {
    const single_segment = (descriptor & 0x20) !== 0
    this.#checksum = (descriptor & 0x04) !== 0
    const dictionary_bytes = [0, 1, 2, 4][descriptor & 3]!
    const size_bytes = [single_segment ? 1 : 0, 2, 4, 8][descriptor >> 6]!
    this.#skip('header', (single_segment ? 0 : 1) + dictionary_bytes + size_bytes)
  }

  #onBlockHeader(header: number): void {
    this.#last_block = (header & 1) === 1
    const type = (header >> 1) & 3
    if (type === RESERVED_BLOCK) throw new ZstdFrameError('corrupt')
    this.#skip('block', type === RLE_BLOCK ? 1 : header >>> 3)
    if (this.#left === 0) this.#onPassed()
  }

  #onPassed(): void {
    if (this.#state === 'checksum') this.#state = 'magic'
    else if (this.#state === 'header' || !this.#last_block) this.#state = 'block_header'
    else if (this.#checksum) this.#skip('checksum', 4)
    else this.#state = 'magic'
  }
}
