import type { Duplex } from 'node:stream'
import { limits } from '../config/limits.ts'
import { findApproveRule } from '../policy/find_approve_rule.ts'
import { Problem, type ProblemCode, providerError } from '../problem/problem.ts'
import type { Finding } from '../scanner/finding.ts'
import { MessageScanner } from '../wire/message_scanner.ts'
import { scannerStyle } from '../wire/scanners.ts'
import { close_codes, type FrameSink } from '../wire/websocket_frames.ts'
import type { CallerSocket, SocketOwner } from './caller.ts'
import type { Exchange } from './exchange.ts'
import type { SessionSide } from './session_side.ts'
import { UpstreamSocket } from './upstream_socket.ts'

/** A WebSocket between a caller and an inference service: each message is scanned on its way. */
export class Session implements SocketOwner, FrameSink {
  readonly #exchange: Exchange
  readonly #upstream: UpstreamSocket
  readonly #request: SessionSide
  readonly #response: SessionSide
  readonly #request_scanner: MessageScanner
  readonly #response_scanner: MessageScanner
  #caller: CallerSocket | null = null
  #ended = false
  /** Since when the caller takes nothing, as `performance.now()`; 0: it does. */
  #stalled_ms = 0

  constructor(exchange: Exchange, socket: Duplex, request: SessionSide, response: SessionSide) {
    this.#exchange = exchange
    this.#request = request
    this.#response = response
    const { connection } = exchange.prepared!
    const { scanners } = exchange.policy
    const { originals } = exchange
    const request_style = scannerStyle(connection.request.style)
    const response_style = scannerStyle(connection.response.style)
    this.#request_scanner = new MessageScanner({
      ...{ scanners, originals, style: request_style, deltas: false, restores: false },
    })
    this.#response_scanner = new MessageScanner({
      ...{ scanners, originals, style: response_style, deltas: true, restores: true },
    })
    this.#upstream = new UpstreamSocket(socket, this, () => this.#onUpstreamGone())
    exchange.releases.push(() => this.#upstream.close(close_codes.going_away, ''))
  }

  open(caller: CallerSocket): void {
    this.#caller = caller
  }

  onSocketMessage(text: boolean, message: Buffer): void {
    if (this.#ended) return
    const { request } = this.#exchange.prepared!.connection
    try {
      if (!text) this.#pass('request', message)
      const out = text ? this.#request.scan(this.#request_scanner, message) : []
      this.#refuseRequest(text ? this.#request_scanner.findings : [])
      const flags = request.secrets === 'flag' || !text
      let room = true
      for (const sent of flags ? [message] : out.map((one) => one.sent))
        room = this.#upstream.send(text, sent)
      if (!room)
        throw new Problem('overloaded', 'the messages come faster than the inference service takes them')
    } catch (error) {
      this.#exchange.fail(error)
    }
  }

  /** @throws Problem when the policy wants more for this message than to mask it */
  #refuseRequest(findings: readonly Finding[]): void {
    if (findings.length === 0) return
    const { prepared, principal, caller, path, model } = this.#exchange
    const { connection } = prepared!
    const { secrets } = connection.request
    const found = findings.some((finding) => finding.kind === 'secret')
    if (found && secrets === 'block') throw new Problem('secret_blocked', 'a message contains a secret')
    const scanned = { method: caller.method, path, model, findings }
    const triggered = findApproveRule(connection, principal!, scanned)
    if (triggered === null && !(found && secrets === 'approve')) return
    const rule = triggered?.rule.name ?? ''
    throw new Problem(
      'approval_unavailable',
      'a message needs approval, which cannot be asked for on a WebSocket',
      { rule },
    )
  }

  onMessage(text: boolean, message: Buffer): void {
    if (this.#ended) return
    const exchange = this.#exchange
    try {
      exchange.usage?.push(message)
      if (!text) this.#pass('response', message)
      const out = text ? this.#response.scan(this.#response_scanner, message) : []
      if (text) this.#refuseResponse(this.#response_scanner.findings)
      const flags = exchange.prepared!.connection.response.secrets === 'flag' || !text
      for (const sent of flags ? [message] : out.map((one) => one.sent)) this.#send(text, sent)
    } catch (error) {
      exchange.fail(error)
    }
  }

  #refuseResponse(findings: readonly Finding[]): void {
    const { secrets } = this.#exchange.prepared!.connection.response
    if (secrets !== 'block' && secrets !== 'approve') return
    if (findings.some((finding) => finding.kind === 'secret'))
      throw new Problem('response_blocked', 'a message contains a secret and was held back')
  }

  /** @throws Problem where what cannot be scanned is blocked */
  #pass(direction: 'request' | 'response', message: Buffer): void {
    if (this.#exchange.prepared!.connection.unscannable === 'block') {
      const code = direction === 'request' ? 'request_unscannable' : 'response_unscannable'
      throw new Problem(code, 'a binary message cannot be scanned', { reason: 'binary message' })
    }
    if (direction === 'request') this.#request.pass(message)
    else this.#response.pass(message)
  }

  #send(text: boolean, message: Buffer): void {
    if (message.length === 0 && text) return
    if (this.#caller!.send(text, message)) return
    this.#stalled_ms ||= performance.now()
    this.#upstream.pause()
  }

  onSocketDrain(): void {
    this.#stalled_ms = 0
    this.#upstream.resume()
  }

  /** The caller closes: upstream is told the same. */
  onSocketClose(code: number, reason: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#caller = null
    if (code === close_codes.broken) this.#exchange.outcome = 'client_aborted'
    this.#upstream.close(code === close_codes.broken ? close_codes.going_away : code, reason)
    this.#exchange.proceed(undefined)
  }

  onPing(payload: Buffer): void {
    this.#upstream.pong(payload)
  }

  /** Upstream closes: the caller gets what was held back, and is told the same. */
  onClose(code: number, reason: string): void {
    if (this.#ended) return
    const exchange = this.#exchange
    try {
      const out = this.#response.scan(this.#response_scanner, null)
      this.#refuseResponse(this.#response_scanner.findings)
      const flags = exchange.prepared!.connection.response.secrets === 'flag'
      if (!flags) for (const { sent } of out) this.#send(true, sent)
    } catch (error) {
      exchange.fail(error)
      return
    }
    this.#ended = true
    this.#caller!.close(code === close_codes.none ? 0 : code, exchange.policy.masker.mask(reason).text)
    this.#upstream.close(code, '')
    exchange.proceed(undefined)
  }

  onBroken(code: number): void {
    const problem =
      code === close_codes.too_big
        ? new Problem('response_unscannable', 'a message of the inference service is too long', {
            reason: 'message too long',
          })
        : new Problem('upstream_invalid', 'the inference service broke the WebSocket protocol')
    this.#exchange.fail(problem)
  }

  #onUpstreamGone(): void {
    if (!this.#ended)
      this.#exchange.fail(new Problem('upstream_cut', 'the inference service broke the WebSocket off'))
  }

  onSweep(now_ms: number): void {
    const { idle_ms } = this.#exchange.prepared!.connection.timeouts
    const silent_ms = now_ms - this.#upstream.arrived_ms
    if (this.#stalled_ms > 0) {
      if (now_ms - this.#stalled_ms > limits.response_stall_ms_max) this.onSocketClose(close_codes.broken, '')
    } else if (silent_ms > idle_ms) {
      this.#exchange.fail(new Problem('upstream_timeout', 'the inference service answers no ping'))
    } else if (silent_ms > idle_ms / 2) this.#upstream.ping()
  }

  /** Tells the caller why the session ends: an error event as OpenAI's Realtime API has it, and a close code. */
  closeFor(problem: Problem): void {
    if (this.#ended) return
    this.#ended = true
    const event = { type: 'error', event_id: this.#exchange.id, error: providerError(problem, 'openai') }
    this.#caller!.send(true, Buffer.from(JSON.stringify(event)))
    this.#caller!.close(closeCodeOf(problem.code), problem.code)
  }
}

function closeCodeOf(code: ProblemCode): number {
  switch (code) {
    case 'stopping':
      return close_codes.going_away
    case 'overloaded':
      return close_codes.try_again
    case 'upstream_cut':
    case 'upstream_invalid':
    case 'upstream_timeout':
    case 'gateway_failed':
      return close_codes.failed
    default:
      return close_codes.policy
  }
}
