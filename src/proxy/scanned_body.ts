import type { Frame, RecordedBody } from '../audit/exchange_record.ts'
import type { SecretsAction } from '../policy/snapshot.ts'
import { Problem } from '../problem/problem.ts'
import type { Finding } from '../scanner/finding.ts'
import { type BodyKind, looksBinary, looksWide } from '../wire/body_kind.ts'
import { type Scanner, ScannerError, type ScanStream } from '../wire/scanners.ts'
import type { FrameRecorder } from './frame_recorder.ts'

export interface ScannedBodyOptions {
  readonly direction: Frame['direction']
  readonly content_type: string
  readonly kind: BodyKind
  readonly action: SecretsAction
  /** What happens to a body that cannot be scanned. */
  readonly unscannable: 'block' | 'pass'
  readonly scanner: Scanner
  readonly recorder: FrameRecorder
  /** Masked bytes to keep for an approver; 0 for none. */
  readonly preview_bytes_max: number
}

const NOTHING = new Uint8Array(0)
const NO_FINDINGS: readonly Finding[] = []

/** One body in one direction: scanned or passed, counted, recorded. */
export class ScannedBody {
  bytes = 0
  /** Time in the scanner, in ms. */
  scan_ms = 0
  preview_truncated = false
  readonly #options: ScannedBodyOptions
  #stream: ScanStream | null = null
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
    const offset = this.bytes
    this.bytes += raw.byteLength
    if (offset === 0 && raw.byteLength > 0) this.#lookAtFirst(raw)
    if (offset < 4 && !this.#passing && looksWide(raw, offset) && this.#options.kind.kind === 'text') {
      this.#pass('UTF-16 or UTF-32')
    }
    if (this.#passing) {
      this.#unscanned_bytes += raw.byteLength
      return raw
    }
    this.#scanned_bytes += raw.byteLength
    const masked = this.#scan(raw)
    this.#record(masked)
    return this.#options.action === 'flag' ? raw : masked
  }

  /** @returns what was held back: a view, as for `push` */
  end(): Uint8Array {
    if (this.#ended || this.#stream === null) return NOTHING
    const masked = this.#scan(null)
    this.#record(masked)
    return this.#options.action === 'flag' || this.#passing ? NOTHING : masked
  }

  get findings(): readonly Finding[] {
    return this.#stream?.findings ?? NO_FINDINGS
  }

  get model(): string {
    return this.#stream?.model ?? ''
  }

  get model_count(): number {
    return this.#stream?.modelCount ?? 0
  }

  /** Whether what comes out has the length of what went in. */
  get keeps_length(): boolean {
    return this.#passing || this.#options.action === 'flag'
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
    return {
      content_type,
      bytes: this.bytes,
      scanned_bytes: this.#scanned_bytes,
      unscanned_bytes: this.#unscanned_bytes,
      unscanned_reason: this.#unscanned_bytes === 0 ? '' : this.#reason,
      truncated: recorder.truncated(direction),
    }
  }

  #lookAtFirst(raw: Uint8Array): void {
    const { kind } = this.#options
    if (kind.kind !== 'binary' || !looksBinary(raw)) return
    this.#passing = true
    this.#reason = kind.reason
  }

  #pass(reason: string): void {
    const { unscannable, direction } = this.#options
    if (unscannable === 'block') {
      const code = direction === 'request' ? 'request_unscannable' : 'response_unscannable'
      throw new Problem(code, `the ${direction} body cannot be scanned: ${reason}`, { reason })
    }
    this.#passing = true
    this.#reason = reason
  }

  /** @param raw null at the end of the body */
  #scan(raw: Uint8Array | null): Uint8Array {
    const began_ms = performance.now()
    try {
      if (raw !== null) return this.#open().push(raw)
      this.#ended = true
      return this.#stream!.end()
    } catch (error) {
      if (!(error instanceof ScannerError) || error.code !== 'event_too_large') throw error
      this.#ended = true
      const code = this.#options.direction === 'request' ? 'request_unscannable' : 'response_unscannable'
      throw new Problem(code, error.message, { reason: error.code }, error)
    } finally {
      this.scan_ms += performance.now() - began_ms
    }
  }

  #open(): ScanStream {
    if (this.#stream === null) {
      const { scanner, content_type, kind } = this.#options
      this.#stream = scanner.open({ contentType: kind.kind === 'binary' ? 'text/plain' : content_type })
    }
    return this.#stream
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
