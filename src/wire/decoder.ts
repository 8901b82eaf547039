import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { limits } from '../config/limits.ts'
import type { ContentCoding } from './content_codings.ts'
import { ZstdFrameError, ZstdFrames } from './zstd_frames.ts'

/** Why a body could not be decoded to its end. */
export type DecodeFailure =
  | 'truncated'
  | 'corrupt' // also with bytes behind its end
  | 'expands' // beyond the limit of the ratio

/** Takes what a decoder puts out. `onDecodedEnd` or `onDecodeFailure` is the last call, unless it is destroyed before. */
export interface DecoderSink {
  /** @param chunk to keep, at most 16 KiB */
  onDecoded(chunk: Uint8Array): void
  onDecodedEnd(): void
  onDecodeFailure(failure: DecodeFailure): void
  /** After a `write` that returned false: there is room again. */
  onDecoderDrain(): void
}

/**
 * Undoes the content codings of one body while it comes in. What is decoded goes out as soon as it can be told, so a
 * stream that its sender flushes event by event comes out event by event. Works in the thread pool; what waits on either
 * side is bounded by the streams' own marks when the caller heeds `write` and uses `pause`.
 */
export class Decoder {
  /** Decoders of this thread that hold memory at the moment, up to 16 MiB each. */
  static open_count = 0
  readonly #codings: readonly ContentCoding[]
  readonly #sink: DecoderSink
  #stages: Transform[] = []
  #encoded_bytes = 0
  #failed = false
  #paused = false
  #ended = false
  #counted = false

  /** @param codings in the order in which they were applied */
  constructor(codings: readonly ContentCoding[], sink: DecoderSink) {
    this.#codings = codings
    this.#sink = sink
  }

  /**
   * @param chunk to keep
   * @returns false when no more should come before `onDecoderDrain`
   */
  write(chunk: Uint8Array): boolean {
    if (chunk.byteLength === 0 || this.#failed) return true
    this.#encoded_bytes += chunk.byteLength
    if (this.#stages.length === 0) this.#open(chunk)
    return this.#stages[0]!.write(chunk)
  }

  end(): void {
    this.#ended = true
    // No byte at all is an empty body: some servers name a coding for what they do not send.
    if (this.#stages.length > 0) this.#stages[0]!.end()
    else if (!this.#paused) this.#sink.onDecodedEnd()
  }

  pause(): void {
    this.#paused = true
    this.#stages.at(-1)?.pause()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    if (this.#stages.length > 0) this.#stages.at(-1)!.resume()
    else if (this.#ended) this.#sink.onDecodedEnd()
  }

  /** Frees it without any further call to the sink. */
  destroy(): void {
    this.#failed = true
    for (const stage of this.#stages) stage.destroy()
    if (this.#counted) Decoder.open_count--
    this.#counted = false
  }

  /** @param first says which of its two forms `deflate` has */
  #open(first: Uint8Array): void {
    Decoder.open_count++
    this.#counted = true
    const outermost_first = this.#codings.toReversed()
    this.#stages = outermost_first.flatMap((coding, i) =>
      stagesOf(coding, i === 0 ? first[0]! : ZLIB_FIRST_BYTE),
    )
    for (const [i, stage] of this.#stages.entries()) {
      if (i > 0) this.#stages[i - 1]!.pipe(stage)
      stage.on('error', (error) => this.#fail(failureOf(error)))
      if (!(stage instanceof ZstdFrames)) this.#watch(stage)
    }
    this.#stages[0]!.on('drain', () => {
      if (!this.#failed) this.#sink.onDecoderDrain()
    })
    const last = this.#stages.at(-1)!
    last.on('data', (chunk: Buffer) => {
      if (!this.#failed) this.#sink.onDecoded(chunk)
    })
    last.on('end', () => {
      if (!this.#failed) this.#sink.onDecodedEnd()
    })
    if (this.#paused) last.pause()
  }

  /** Every stage is watched: one that swells might feed another that swallows. */
  #watch(stage: Transform): void {
    let bytes = 0
    stage.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      const { decoded_ratio_max, decoded_free_bytes_max } = limits
      if (bytes > decoded_free_bytes_max && bytes > this.#encoded_bytes * decoded_ratio_max)
        this.#fail('expands')
    })
  }

  #fail(failure: DecodeFailure): void {
    if (this.#failed) return
    this.destroy()
    this.#sink.onDecodeFailure(failure)
  }
}

const ZLIB_FIRST_BYTE = 0x78
/** Compression method of a zlib header (RFC 1950 section 2.2). In raw deflate these bits would be a stored block with padding that is not zero. */
const ZLIB_METHOD = 8
/** RFC 9659 section 3: a window of 8 MiB at most. */
const zstd_window_log_max = 23

/** Not in the types: bytes behind the end are an error, not ignored. */
const strict: zlib.ZlibOptions & zlib.BrotliOptions & { rejectGarbageAfterEnd: boolean } = {
  rejectGarbageAfterEnd: true,
}

function stagesOf(coding: ContentCoding, first_byte: number): Transform[] {
  switch (coding) {
    case 'gzip':
      return [zlib.createGunzip(strict)]
    case 'deflate':
      return [(first_byte & 15) === ZLIB_METHOD ? zlib.createInflate(strict) : zlib.createInflateRaw(strict)]
    case 'br':
      return [zlib.createBrotliDecompress(strict)]
    case 'zstd': {
      const params = { [zlib.constants.ZSTD_d_windowLogMax]: zstd_window_log_max }
      return [new ZstdFrames(), zlib.createZstdDecompress({ params })]
    }
  }
}

function failureOf(error: Error): DecodeFailure {
  if (error instanceof ZstdFrameError) return error.code
  return (error as { code?: unknown }).code === 'Z_BUF_ERROR' ? 'truncated' : 'corrupt'
}
