import type { HoldOutcome } from '../approval/approval.ts'
import type { ExchangeOutcome, ExchangeRecord } from '../audit/exchange_record.ts'
import { limits } from '../config/limits.ts'
import type { Principal } from '../policy/principal.ts'
import { Problem, problemBody, problemHeaders } from '../problem/problem.ts'
import type { Finding } from '../scanner/finding.ts'
import type { RecordStage } from '../threads/messages.ts'
import type { Caller, CallerOwner } from './caller.ts'
import type { DataPlane } from './data_plane.ts'
import { FrameRecorder } from './frame_recorder.ts'
import type { PolicyState, PreparedConnection } from './policy_state.ts'
import { type RequestHead, readHead } from './request_head.ts'
import { letGoOfLimits, type Taken } from './limit_caller.ts'
import { recordOf } from './record_of.ts'
import type { ResponseOutlet } from './response_outlet.ts'
import type { ExchangeBody } from './exchange_body.ts'
import type { Session } from './session.ts'
import type { Originals } from '../wire/scanners.ts'
import type { ContentCoding } from '../wire/content_codings.ts'
import type { StreamUnit } from '../wire/stream_error.ts'
import type { TokenUsage } from '../wire/token_usage.ts'
import type { CallOwner, UpstreamCall, UploadBody } from './upstream.ts'
import { uuidV7 } from './uuid_v7.ts'

/** The caller left: there is nobody to answer. */
export class CallerGone extends Error {
  constructor() {
    super('the caller left before its response ended')
    this.name = 'CallerGone'
  }
}

/** What is being waited for, and so which deadline counts. */
type Waiting =
  | 'nothing'
  | 'request' // bytes of the request body
  | 'hold' // a person
  | 'record' // the opening record to be on the disk
  | 'upstream' // the response's headers, or upstream taking the request body
  | 'response' // bytes of the response body
  | 'caller' // the caller taking the response
  | 'session' // either side of a WebSocket

const unrecorded = 'the audit could not record this exchange'

/** One request and its response: the one object that all stages share. */
export class Exchange implements CallerOwner, CallOwner {
  readonly plane: DataPlane
  readonly caller: Caller
  /** In force when the exchange began; a later one does not change it. */
  policy: PolicyState
  readonly id: string
  readonly head: RequestHead
  readonly recorder: FrameRecorder
  /** `performance.now()` */
  readonly started_ms: number

  principal: Principal | null = null
  prepared: PreparedConnection | null = null
  /** Normalised upstream path; until it is known, empty. */
  path = ''
  model = ''
  /** Whether a rule allows this only for some models. */
  model_needed = false
  /** What it holds of its caller's limits; null when there are none. */
  taken: Taken | null = null
  /** What the provider says about tokens; null when no budget needs it. */
  usage: TokenUsage | null = null
  request_body: ExchangeBody | null = null
  response_body: ExchangeBody | null = null
  /** As recorded. */
  masked_path = ''
  masked_query = ''
  /** As sent upstream: masked too, unless secrets are only flagged. */
  forward_path = ''
  forward_query = ''
  forward_headers: readonly string[] = []
  /** Found outside the bodies: the channel says where. */
  readonly head_findings: Finding[] = []
  readonly response_head_findings: Finding[] = []
  /** What the response gives back to the caller; null when nothing is. */
  originals: Originals | null = null
  /** Keyed digest of the raw request body; null while no approval needs it. */
  body_digest: Uint8Array | null = null
  call: UpstreamCall | null = null
  /** Content codings that were undone from the request body. */
  request_codings: readonly ContentCoding[] = []
  /** The request body, when it streams. */
  upload: UploadBody | null = null
  /** Frees what bodies hold outside of this thread's memory; called once, when it fails or ends. */
  readonly releases: (() => void)[] = []
  /** Where the bytes of the response go; null before it began. */
  outlet: ResponseOutlet | null = null
  /** What the answer so far is a stream of, and an error in it would be one more of. */
  answers: StreamUnit | null = null
  /** The key that asked upstream for a WebSocket. */
  socket_key = ''
  /** The WebSocket, once there is one. */
  session: Session | null = null
  approval: ExchangeRecord['approval'] = null

  outcome: ExchangeOutcome = 'ok'
  code = ''
  status = 0
  readonly timing = { authenticate_us: 0, scan_us: 0, upstream_first_byte_us: 0, total_us: 0 }

  waiting: Waiting = 'nothing'
  /** When what is waited for last made progress, as `performance.now()`. */
  progress_ms: number
  /** When the request went upstream, as `performance.now()`. */
  sent_ms = 0
  held_bytes = 0
  onHoldOutcome: (outcome: HoldOutcome) => void = () => {}
  /** Called at the latest `worker_sweep_ms` after this time, as `performance.now()`. */
  hold_until_ms = 0
  onHoldTimeout: () => void = () => {}

  #resolve: ((value: never) => void) | null = null
  #reject: ((reason: unknown) => void) | null = null
  #failure: unknown = null
  #finished = false
  /** Sends the rest of the answer, or its end. */
  #ending: (() => void) | null = null
  #opened = false
  /** When the end of the answer began to wait for the record, as `performance.now()`; 0: it does not. */
  #recording_ms = 0

  constructor(plane: DataPlane, caller: Caller) {
    this.plane = plane
    this.caller = caller
    this.policy = plane.policy
    this.started_ms = performance.now()
    this.progress_ms = this.started_ms
    this.id = uuidV7(plane.epoch_ms + this.started_ms)
    this.head = readHead(caller)
    this.recorder = new FrameRecorder(this.started_ms, this.policy.snapshot.audit.body_bytes_max)
    caller.owner = this
  }

  /** Waits until `proceed` or `fail` is called. One stage waits at a time. */
  wait<T>(waiting: Waiting): Promise<T> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    this.waiting = waiting
    this.progress_ms = performance.now()
    return new Promise<T>((resolve, reject) => {
      this.#resolve = resolve as (value: never) => void
      this.#reject = reject
    })
  }

  proceed<T>(value: T): void {
    this.waiting = 'nothing'
    const resolve = this.#resolve as ((value: T) => void) | null
    this.#resolve = null
    this.#reject = null
    resolve?.(value)
  }

  /** Ends the exchange from outside its stages. The first reason counts. */
  fail(reason: unknown): void {
    if (this.#failure !== null || this.#finished) return
    this.#failure = reason
    this.waiting = 'nothing'
    this.call?.abort()
    this.#free()
    const reject = this.#reject
    this.#resolve = null
    this.#reject = null
    reject?.(reason)
  }

  /** @throws what `fail` was called with, when it was */
  throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure
  }

  onCallerGone(): void {
    this.outlet?.destroy()
    this.fail(new CallerGone())
  }

  onCallerOverrun(): void {
    this.fail(
      new Problem('overloaded', 'the upload comes faster than the inference service takes it', {
        retry_after: 1,
      }),
    )
  }

  onCallerDrain(): void {
    if (this.waiting === 'caller') {
      this.waiting = 'response'
      this.progress_ms = performance.now()
    }
    this.outlet?.onCallerDrain()
  }

  onCallStarted(call: UpstreamCall): void {
    this.timing.upstream_first_byte_us = Math.round((performance.now() - this.sent_ms) * 1000)
    this.proceed(call)
  }

  onCallFailed(problem: Problem): void {
    this.fail(problem)
  }

  /** Accounts for bytes of a request body that is kept whole. */
  hold(bytes: number): void {
    if (this.plane.held_bytes + bytes > limits.worker_held_bytes_max) {
      throw new Problem('overloaded', 'too many request bodies are held at the moment', { retry_after: 5 })
    }
    this.held_bytes += bytes
    this.plane.held_bytes += bytes
  }

  letGo(): void {
    this.plane.held_bytes -= this.held_bytes
    this.held_bytes = 0
  }

  #free(): void {
    for (const release of this.releases.splice(0)) release()
  }

  /** What sends the rest of the answer, once the record is on the disk when the policy wants that. */
  endWith(ending: () => void): void {
    this.#ending = ending
  }

  /** Sends what is known so far to the audit; `onRecorded` is the answer. */
  sendOpening(): void {
    this.#opened = true
    this.plane.recording.set(this.id, this)
    this.plane.send({ kind: 'opening', record: recordOf(this) })
  }

  /** @param kept false: it was lost although it must not be */
  onRecorded(stage: RecordStage, kept: boolean): void {
    if (stage === 'whole') this.#release(kept)
    else if (this.waiting === 'record') {
      if (kept) this.proceed(undefined)
      else this.fail(new Problem('audit_unavailable', unrecorded, { retry_after: 5 }))
    }
  }

  /** Looks for passed deadlines. */
  onSweep(now_ms: number): void {
    if (this.#recording_ms > 0 && now_ms - this.#recording_ms > limits.audit_recorded_ms_max) {
      this.#release(false)
      return
    }
    const idle_ms = now_ms - this.progress_ms
    const timeouts = this.prepared?.connection.timeouts
    switch (this.waiting) {
      case 'request':
        this.#checkRequest(idle_ms)
        break
      case 'record':
        if (idle_ms > limits.audit_recorded_ms_max) {
          this.fail(new Problem('audit_unavailable', unrecorded, { retry_after: 5 }))
        }
        break
      case 'hold':
        if (now_ms >= this.hold_until_ms) this.onHoldTimeout()
        break
      case 'upstream':
        if (this.upload !== null && !this.upload.complete && !this.upload.blocked) {
          this.#checkRequest(idle_ms)
        } else if (idle_ms > timeouts!.response_headers_ms) {
          this.fail(new Problem('upstream_timeout', 'the inference service did not answer in time'))
        }
        break
      case 'response':
        if (idle_ms > timeouts!.idle_ms) {
          this.fail(
            new Problem('upstream_timeout', 'the inference service stopped in the middle of its response'),
          )
        }
        break
      case 'session':
        this.session!.onSweep(now_ms)
        break
      case 'caller':
        if (idle_ms > limits.response_stall_ms_max) this.stalled()
        else this.caller.touch()
        break
    }
  }

  #checkRequest(idle_ms: number): void {
    if (idle_ms <= limits.request_idle_ms_max) this.caller.touch()
    else this.fail(new Problem('request_timeout', 'no more of the request body arrived'))
  }

  /** Ends the exchange because the worker stops and its grace ran out. */
  onStop(): void {
    this.fail(new Problem('stopping', 'the gateway is stopping', { retry_after: 1 }))
  }

  /** A caller that takes nothing of its response any more counts as gone. */
  stalled(): void {
    this.caller.cut()
    this.fail(new CallerGone())
  }

  /** Every end comes through here, once: produces the audit record, after which the answer may end. */
  finish(): void {
    if (this.#finished) throw new Error('an exchange finished twice')
    this.#finished = true
    this.call?.abort()
    this.#free()
    this.letGo()
    letGoOfLimits(this)
    const scan_ms = (this.request_body?.scan_ms ?? 0) + (this.response_body?.scan_ms ?? 0)
    this.timing.scan_us = Math.round(scan_ms * 1000)
    this.timing.total_us = Math.round((performance.now() - this.started_ms) * 1000)
    this.#count()
    if (this.code === 'audit_unavailable' && !this.#opened) {
      this.#release(true)
      return
    }
    // Where the audit takes nothing, an exchange that already ended must not be told otherwise.
    const waits =
      this.#ending !== null &&
      this.caller.open &&
      this.code !== 'audit_unavailable' &&
      this.policy.snapshot.audit.guarantee === 'answered'
    const limited = this.taken?.refused_by ?? null
    this.plane.send({ kind: 'record', record: recordOf(this), waits, ...(limited !== null && { limited }) })
    if (!waits) {
      this.#release(true)
      return
    }
    this.#recording_ms = performance.now()
    this.plane.recording.set(this.id, this)
  }

  /** The answer ends; or, when its record is not on the disk, it breaks off. */
  #release(recorded: boolean): void {
    this.#recording_ms = 0
    this.plane.recording.delete(this.id)
    this.plane.released(this)
    const { caller } = this
    if (!caller.open || this.#ending === null) return
    if (recorded) this.#ending()
    else if (caller.head_sent) caller.cut()
    else {
      const problem = new Problem('audit_unavailable', unrecorded, { retry_after: 5 })
      caller.setHead(problem.status, problemHeaders(problem))
      caller.end(problemBody(problem))
    }
  }

  #count(): void {
    const { counters } = this.plane
    counters.outcomes[this.outcome]++
    if (this.code === 'audit_unavailable') counters.unrecorded_total++
    for (const body of [this.request_body, this.response_body]) {
      if (body === null) continue
      counters.findings_total += body.findings.length
      counters.unscanned_bytes_total += body.recorded().unscanned_bytes
    }
    counters.findings_total += this.head_findings.length + this.response_head_findings.length
    counters.request_bytes_total += this.request_body?.bytes ?? 0
    counters.response_bytes_total += this.response_body?.bytes ?? 0
  }
}
