import type { Frame, RecordedBody } from '../audit/exchange_record.ts'
import type { Finding } from '../scanner/finding.ts'
import { limits } from '../config/limits.ts'
import type { MessageScanner, ScannedMessage } from '../wire/message_scanner.ts'
import type { ExchangeBody } from './exchange_body.ts'
import type { FrameRecorder } from './frame_recorder.ts'

const NOTHING = new Uint8Array(0)
const LINE_END = Buffer.from('\n')

/** The messages of one direction of a WebSocket: scanned or passed, counted, recorded one a line. */
export class SessionSide implements ExchangeBody {
  bytes = 0
  scan_ms = 0
  readonly findings: Finding[] = []
  readonly model: string
  readonly model_count: number
  readonly keeps_length = false
  readonly preview_truncated = false
  readonly #direction: Frame['direction']
  readonly #recorder: FrameRecorder
  #unscanned_bytes = 0
  #reason = ''

  /** @param models named by the request that asked for the WebSocket */
  constructor(direction: Frame['direction'], recorder: FrameRecorder, models: readonly string[] = []) {
    this.#direction = direction
    this.#recorder = recorder
    this.model = models[0] ?? ''
    this.model_count = models.length
  }

  /** @returns what may be sent now */
  scan(scanner: MessageScanner, message: Buffer | null): ScannedMessage[] {
    const began_ms = performance.now()
    this.bytes += message?.length ?? 0
    const out = message === null ? scanner.end() : scanner.push(message)
    if (scanner.unscanned_bytes > 0 && message !== null)
      this.#skip(scanner.unscanned_bytes, 'audio in base64')
    const room = limits.session_findings_max - this.findings.length
    if (room > 0) this.findings.push(...scanner.findings.slice(0, room))
    for (const { masked } of out) {
      if (masked.length === 0) continue
      this.#recorder.add(this.#direction, masked)
      this.#recorder.add(this.#direction, LINE_END)
    }
    this.scan_ms += performance.now() - began_ms
    return out
  }

  /** A message that passes unseen. */
  pass(message: Buffer): void {
    this.bytes += message.length
    this.#skip(message.length, 'binary message')
  }

  #skip(bytes: number, reason: string): void {
    this.#unscanned_bytes += bytes
    this.#reason = reason
  }

  preview(): string {
    return ''
  }

  end(): Uint8Array {
    return NOTHING
  }

  recorded(): RecordedBody {
    return {
      content_type: 'websocket',
      bytes: this.bytes,
      scanned_bytes: this.bytes - this.#unscanned_bytes,
      unscanned_bytes: this.#unscanned_bytes,
      unscanned_reason: this.#reason,
      truncated: this.#recorder.truncated(this.#direction),
    }
  }
}
