import type { Hmac } from 'node:crypto'
import type { Readable } from 'node:stream'
import { bodyDigest } from '../approval/binding.ts'
import { limits } from '../config/limits.ts'
import { approvalPossible } from '../policy/find_approve_rule.ts'
import { Problem } from '../problem/problem.ts'
import { signsBody } from '../identity/apply_credential.ts'
import { bodyKind } from '../wire/body_kind.ts'
import { readCodings } from '../wire/content_codings.ts'
import type { BodyFlow, BodyReader } from './caller.ts'
import { DecodingReader } from './decoding.ts'
import type { Exchange } from './exchange.ts'
import { maskHead } from './mask_head.ts'
import { Originals } from '../wire/scanners.ts'
import { ScannedBody } from './scanned_body.ts'
import { SessionSide } from './session_side.ts'
import { UploadBody } from './upstream.ts'

/** A request body on its way out, masked: whole, or as it streams. */
export type OutgoingBody = Uint8Array | Readable | null

/**
 * Stage 3: reads and masks the request. The body is kept whole when something is decided by it: a model rule, an approve
 * rule that could concern this caller and path, or `block` or `approve` for secrets. A short one is kept anyway, because
 * it can then go out with its length. Any other streams on while it comes in.
 */
export async function scanRequest(exchange: Exchange): Promise<OutgoingBody> {
  maskHead(exchange)
  const { head, policy } = exchange
  const { content_length, content_type } = head
  if (head.wants_upgrade) openSession(exchange)
  if (content_length === 0) return null

  const { connection } = exchange.prepared!
  const for_approval = approvalPossible(connection, exchange.principal!, exchange.path)
  const whole =
    for_approval ||
    exchange.model_needed ||
    keepsForSecrets(connection.request.secrets) ||
    signsBody(connection)
  const bytes_max = whole ? limits.request_held_body_bytes_max : limits.request_body_bytes_max
  if (content_length > bytes_max) throw tooLarge(bytes_max)

  if (connection.request.style === 'restore') exchange.originals = new Originals()
  const kind = bodyKind(content_type, head.content_encoding)
  const codings = kind.kind === 'unscannable' ? [] : readCodings(head.content_encoding)!
  exchange.request_codings = codings
  const body = new ScannedBody({
    direction: 'request',
    content_type,
    kind,
    action: connection.request.secrets,
    style: connection.request.style,
    unscannable: connection.unscannable,
    scanners: policy.scanners,
    recorder: exchange.recorder,
    originals: exchange.originals,
    preview_bytes_max: for_approval ? limits.approval_preview_bytes_max : 0,
  })
  exchange.request_body = body
  const gathers = whole || isShort(content_length, codings.length > 0)
  const digest = for_approval ? bodyDigest(policy.snapshot.scanner.fingerprint_key) : null
  const read = exchange.wait<OutgoingBody>('request')
  const decoding = codings.length > 0 ? new DecodingReader(exchange, codings) : null
  const reader = gathers
    ? new GatheringReader(exchange, body, bytes_max, digest)
    : new StreamingReader(exchange, body, bytes_max, decoding ?? exchange.caller)
  if (decoding !== null) decoding.reader = reader
  exchange.caller.readBody(decoding ?? reader)
  return await read
}

/** Whether a body is short enough to be read whole, decoded if it is encoded, without being asked for it. */
function isShort(content_length: number, encoded: boolean): boolean {
  const { request_gathered_body_bytes_max, request_gathered_encoded_bytes_max } = limits
  const bytes_max = encoded ? request_gathered_encoded_bytes_max : request_gathered_body_bytes_max
  return content_length > 0 && content_length <= bytes_max
}

/** A WebSocket names its model in the query; its messages come later. */
function openSession(exchange: Exchange): void {
  const { head, recorder, prepared } = exchange
  const models = new URLSearchParams(head.query).getAll('model')
  exchange.model = models[0] ?? ''
  exchange.request_body = new SessionSide('request', recorder, models)
  if (prepared!.connection.request.style === 'restore') exchange.originals = new Originals()
}

function keepsForSecrets(action: string): boolean {
  return action === 'block' || action === 'approve'
}

function tooLarge(bytes_max: number): Problem {
  return new Problem('request_too_large', `the request body is longer than ${bytes_max} bytes`, { bytes_max })
}

/** Keeps the body until it is whole. */
class GatheringReader implements BodyReader {
  readonly #exchange: Exchange
  readonly #body: ScannedBody
  readonly #bytes_max: number
  readonly #digest: Hmac | null
  readonly #parts: Buffer[] = []

  constructor(exchange: Exchange, body: ScannedBody, bytes_max: number, digest: Hmac | null) {
    this.#exchange = exchange
    this.#body = body
    this.#bytes_max = bytes_max
    this.#digest = digest
  }

  onBodyChunk(chunk: Uint8Array, last: boolean): void {
    const exchange = this.#exchange
    if (exchange.waiting !== 'request') return
    exchange.progress_ms = performance.now()
    try {
      if (this.#body.bytes + chunk.byteLength > this.#bytes_max) throw tooLarge(this.#bytes_max)
      this.#digest?.update(chunk)
      this.#keep(last ? this.#body.end(chunk) : this.#body.push(chunk))
      if (!last) return
    } catch (error) {
      exchange.fail(error)
      return
    }
    if (this.#digest !== null) exchange.body_digest = this.#digest.digest()
    exchange.model = this.#body.model
    exchange.proceed(this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts))
  }

  #keep(view: Uint8Array): void {
    if (view.byteLength === 0) return
    this.#exchange.hold(view.byteLength)
    this.#parts.push(Buffer.from(view))
  }
}

/** Passes the body on as it comes. The stage is over with the first bytes: then it shows whether they can be scanned. */
class StreamingReader implements BodyReader {
  readonly #exchange: Exchange
  readonly #body: ScannedBody
  readonly #bytes_max: number
  readonly #upload: UploadBody

  /** @param flow held up when upstream is slow */
  constructor(exchange: Exchange, body: ScannedBody, bytes_max: number, flow: BodyFlow) {
    this.#exchange = exchange
    this.#body = body
    this.#bytes_max = bytes_max
    this.#upload = new UploadBody(flow)
    exchange.upload = this.#upload
  }

  onBodyChunk(chunk: Uint8Array, last: boolean): void {
    const exchange = this.#exchange
    const upload = this.#upload
    if (upload.destroyed) return // upstream answered without it, or the exchange failed
    exchange.progress_ms = performance.now()
    try {
      if (this.#body.bytes + chunk.byteLength > this.#bytes_max) throw tooLarge(this.#bytes_max)
      upload.send(last ? this.#body.end(chunk) : this.#body.push(chunk))
      if (last) upload.finish()
    } catch (error) {
      exchange.fail(error)
      return
    }
    exchange.model = this.#body.model
    if (exchange.waiting === 'request') exchange.proceed(upload)
  }
}
