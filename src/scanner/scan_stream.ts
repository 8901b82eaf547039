import type { Finding } from './finding.ts'
import type { Originals } from './originals.ts'
import type { StreamOptions } from './scanner_options.ts'

/** A mask in what was returned. */
export interface Replacement {
  /** Offset in what was returned. */
  readonly at: number
  readonly bytes: number
  /** Bytes of the input in its place. */
  readonly input_bytes: number
}

/** A stream of raw text that also tells what it replaced. */
export interface TextStream extends ScanStream {
  /** The masks in what the last call returned, in order; only for chunks of at most 64 KiB of raw text. */
  readonly replaced: readonly Replacement[]
  readonly kept: KeptBytes
}

/** What a stream keeps until its next call, in bytes. */
export interface KeptBytes {
  /** Its state: where it stands, what it is in. Of an event stream also the joined texts' ends, a channel each. */
  readonly state: number
  /** Of the body: held back, or to be read again with what follows. */
  readonly body: number
}

/** One body in one direction. Not to be used after `end()`. */
export interface ScanStream {
  /**
   * Takes the next bytes, any cut.
   * @returns masked bytes that are safe to send: a view, valid until the next call on any stream of this scanner, and only
   * as long as `chunk` is not changed. May be empty.
   * @throws ScannerError `event_too_large` when an event of a stream is over 2 MiB, or more than 4 MiB of events wait; the stream is then unusable
   */
  push(chunk: Uint8Array): Uint8Array
  /**
   * Ends the body and returns what was held back: a view, as for `push`.
   * @param last the body's last bytes; to give them here instead of to `push` saves keeping the stream's state
   */
  end(last?: Uint8Array): Uint8Array
  /** All findings so far, in order, but those that were taken. */
  readonly findings: readonly Finding[]
  /** Returns the findings and forgets them, so that a body of any length with any number of them needs no more memory. */
  takeFindings(): readonly Finding[]
  /** Top-level `model` string of a JSON body once seen, else empty. Longer than 256 bytes: cut. */
  readonly model: string
  /** How often a top-level `model` key was seen; more than one is ambiguous. */
  readonly modelCount: number
  /** Bytes pushed. */
  readonly bytes: number
}

/** One Wasm instance with compiled detectors. Opens any number of streams; all calls are synchronous. */
export interface Scanner {
  open(options: StreamOptions): TextStream
}

/** Puts secrets back in the place of their pseudonyms. Opens any number of streams; all calls are synchronous. */
export interface Restorer {
  /**
   * A body in which each pseudonym that `originals` knows is replaced by its secret, escaped as its place needs it: in JSON
   * strings, in tool-call arguments and other JSON within JSON, and in deltas joined over the events of a stream. Any other
   * stays. Only `push` and `end` of the stream mean something.
   */
  open(options: { readonly contentType: string; readonly originals: Originals }): ScanStream
}
