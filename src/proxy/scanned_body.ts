import type { Frame, RecordedBody } from '../audit/exchange_record.ts'
import type { MaskStyle, SecretsAction } from '../policy/snapshot.ts'
import { Problem } from '../problem/problem.ts'
import type { Finding } from '../scanner/finding.ts'
import { type BodyKind, looksBinary, looksWide } from '../wire/body_kind.ts'
import type { BodyStream } from '../wire/body_stream.ts'
import { openBody } from '../wire/open_body.ts'
import { readAs } from '../wire/read_as.ts'
import {
  type Originals,
  ScannerError,
  type Scanners,
  type ScanStream,
  scannerStyle,
} from '../wire/scanners.ts'
import type { TokenUsage } from '../wire/token_usage.ts'
import type { ExchangeBody } from './exchange_body.ts'
import type { FrameRecorder } from './frame_recorder.ts'

export interface ScannedBodyOptions {
  readonly direction: Frame['direction']
  readonly content_type: string
  readonly kind: BodyKind
  readonly action: SecretsAction
  readonly style: MaskStyle
  /** What happens to a body that cannot be scanned. */
  readonly unscannable: 'block' | 'pass'
  readonly scanners: Scanners
  readonly recorder: FrameRecorder
  /** Masked bytes to keep for an approver; 0 for none. */
  readonly preview_bytes_max: number
  /** Reads along what the provider says about tokens. */
  readonly usage?: TokenUsage | null
  /** What the request takes out and the response puts back in; null when secrets stay replaced. */
  readonly originals: Originals | null
}

const NOTHING = new Uint8Array(0)
const NO_FINDINGS: readonly Finding[] = []

/** One body in one direction: scanned or passed, counted, recorded. */
export class ScannedBody implements ExchangeBody {
  bytes = 0
  /** Time in the scanner, in ms. */
  scan_ms = 0
  preview_truncated = false
  readonly #options: ScannedBodyOptions
  #stream: ScanStream | BodyStream | null = null
  #restoring: ScanStream | null = null
  /** First bytes, kept until they tell how the body is to be read. */
  #beginning: Uint8Array = NOTHING
  /** It is read as something else than it is declared to be. */
  #guessed = false
  #ended = false
  #scanned_bytes = 0
  #unscanned_bytes = 0
  #passing = false
  #reason = ''
  readonly #preview: Uint8Array[] = []
  #preview_bytes = 0

  /** @throws Problem when it cannot be scanned and such bodies are blocked */
  constructor(options: ScannedBodyOptions) {
    this.#options = options
    if (options.kind.kind === 'unscannable') this.#pass(options.kind.reason)
  }

  /**
   * @returns what may be sent for it: a view, valid until the next call on any body
   * @throws Problem when it cannot be scanned and such bodies are blocked
   */
  push(raw: Uint8Array): Uint8Array {
    return this.#take(raw, false)
  }

  /**
   * Ends the body. The last bytes are given here rather than to `push` where they are known to be the last.
   * @returns what may be sent for them and what was held back: a view, as for `push`
   */
  end(last: Uint8Array = NOTHING): Uint8Array {
    return this.#take(last, true)
  }

  #take(raw: Uint8Array, last: boolean): Uint8Array {
    const offset = this.bytes
    this.bytes += raw.byteLength
    this.#options.usage?.push(raw)
    if (offset < 4 && raw.byteLength > 0) this.#lookAtBeginning(raw, offset)
    if (this.#passing) {
      this.#unscanned_bytes += raw.byteLength
      return raw
    }
    if (this.#ended || (this.#stream === null && this.bytes === 0)) return NOTHING
    this.#scanned_bytes += raw.byteLength
    const read = this.#stream === null ? this.#openWith(raw, last) : raw
    if (read === null) return NOTHING
    const masked = this.#scan(read, last)
    const stream = this.#stream!
    this.#record('recordable' in stream ? stream.recordable : masked)
    const sent = this.#options.action === 'flag' ? read : masked
    return this.#restoring === null ? sent : last ? this.#restoring.end(sent) : this.#restoring.push(sent)
  }

  get findings(): readonly Finding[] {
    return this.#stream?.findings ?? NO_FINDINGS
  }

  /** Empty in a body that is only guessed to be JSON: another reader may see another model in it. */
  get model(): string {
    return this.#guessed ? '' : (this.#stream?.model ?? '')
  }

  get model_count(): number {
    return this.#guessed ? 0 : (this.#stream?.modelCount ?? 0)
  }

  /** Whether what comes out has the length of what went in. */
  get keeps_length(): boolean {
    return this.#passing || this.#options.action === 'flag'
  }

  /** Whether what comes out may differ from what went in. */
  get may_change(): boolean {
    return !this.keeps_length
  }

  hasSecret(): boolean {
    const { findings } = this
    for (let i = 0; i < findings.length; i++) if (findings[i]!.kind === 'secret') return true
    return false
  }

  /** Masked, at most `preview_bytes_max`, as text. */
  preview(): string {
    return Buffer.concat(this.#preview).toString('utf8')
  }

  recorded(): RecordedBody {
    const { direction, content_type, recorder } = this.#options
    const stream = this.#stream
    const within = stream !== null && 'recordable' in stream ? stream.unscanned_bytes : 0
    const unscanned_bytes = this.#unscanned_bytes + within
    return {
      content_type,
      bytes: this.bytes,
      scanned_bytes: this.#scanned_bytes - within,
      unscanned_bytes,
      unscanned_reason: unscanned_bytes === 0 ? '' : this.#reason || (stream as BodyStream).unscanned_reason,
      truncated: recorder.truncated(direction),
    }
  }

  #lookAtBeginning(raw: Uint8Array, offset: number): void {
    const { kind } = this.#options
    if (kind.kind === 'binary' && offset === 0 && looksBinary(raw)) {
      this.#passing = true
      this.#reason = kind.reason
    } else if (kind.kind === 'text' && !this.#passing && looksWide(raw, offset)) {
      this.#pass('UTF-16 or UTF-32')
    }
  }

  #pass(reason: string): void {
    this.#refuseUnscannable(reason)
    this.#passing = true
    this.#reason = reason
  }

  #refuseUnscannable(reason: string): void {
    const { unscannable, direction } = this.#options
    if (unscannable === 'pass') return
    const code = direction === 'request' ? 'request_unscannable' : 'response_unscannable'
    throw new Problem(code, `the ${direction} body cannot be scanned: ${reason}`, { reason })
  }

  #scan(raw: Uint8Array, last: boolean): Uint8Array {
    const began_ms = performance.now()
    this.#ended = last
    try {
      const stream = this.#stream!
      return last ? stream.end(raw) : stream.push(raw)
    } catch (error) {
      if (!(error instanceof ScannerError) || error.code !== 'event_too_large') throw error
      this.#ended = true
      const code = this.#options.direction === 'request' ? 'request_unscannable' : 'response_unscannable'
      throw new Problem(code, error.message, { reason: error.code }, error)
    } finally {
      this.scan_ms += performance.now() - began_ms
    }
  }

  /** @returns the body's bytes so far, or null when more of them must tell how they are to be read */
  #openWith(raw: Uint8Array, last: boolean): Uint8Array | null {
    const { direction, content_type, kind } = this.#options
    const declared = kind.kind === 'binary' ? 'text/plain' : content_type
    const beginning = this.#beginning.length === 0 ? raw : Buffer.concat([this.#beginning, raw])
    const read_as = readAs(declared, beginning, direction, last)
    this.#beginning = read_as === null ? new Uint8Array(beginning) : NOTHING
    if (read_as === null) return null
    this.#guessed = read_as !== declared
    this.#open(read_as)
    return beginning
  }

  #open(contentType: string): void {
    const { direction, scanners, style, originals } = this.#options
    const taken = direction === 'request' && originals !== null ? { originals } : {}
    const deltas = direction === 'response'
    const options = { contentType, deltas, style: scannerStyle(style), ...taken }
    this.#stream = openBody(
      {
        body: scanners.body,
        text: scanners.text,
        onUnscannable: (reason) => this.#refuseUnscannable(reason),
      },
      options,
    )
    // what is recorded stays masked: only the caller gets it back
    if (direction === 'response' && originals !== null)
      this.#restoring = scanners.restorer.open({ contentType, originals })
  }

  #record(masked: Uint8Array): void {
    if (masked.byteLength === 0) return
    const { recorder, direction, preview_bytes_max } = this.#options
    recorder.add(direction, masked)
    if (preview_bytes_max === 0) return
    const room = preview_bytes_max - this.#preview_bytes
    if (masked.byteLength > room) this.preview_truncated = true
    if (room === 0) return
    const part = new Uint8Array(masked.subarray(0, room))
    this.#preview_bytes += part.byteLength
    this.#preview.push(part)
  }
}
