import { type ChildProcess, fork } from 'node:child_process'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { limits } from '../config/limits.ts'
import type { Log } from '../log.ts'
import { AuditError } from './audit_error.ts'
import type { Ask, FromAudit, OpenMessage, ToAudit } from './process_messages.ts'
import type { WriterProgress } from './writer.ts'

export interface AuditLinkOptions {
  readonly open: OpenMessage
  readonly log: Log
  readonly progress: (progress: WriterProgress) => void
  /** Called when an audit process is gone. */
  readonly ended: () => void
}

/** The gateway's end of the audit process, which is started again when it dies. */
export interface AuditLink {
  wake(): void
  hurry(up_to: number): void
  /** @returns the parts of the answer. */
  ask(ask: Ask): Promise<unknown[]>
  /** Whether the schema is there and the writer runs. */
  ready(): boolean
  /** Added up over all audit processes since the start. */
  progress(): WriterProgress
  close(): Promise<void>
}

const entry = fileURLToPath(new URL('./audit_process.ts', import.meta.url))
/** How long a server that is slow to answer may hold up the start of the gateway. */
const first_answer_ms_max = 10_000
/** A third of the processor time that a gateway thread gets, when both want it. */
const audit_niceness = 5
const heap_megabytes_max = 512

/**
 * Starts the audit process and waits until it is ready, or until it is clear that ClickHouse's server has to be waited
 * for in the background.
 * @throws AuditError when it can never get ready.
 */
export async function openAuditLink(options: AuditLinkOptions): Promise<AuditLink> {
  const link = new ProcessLink(options)
  try {
    await link.start()
  } catch (error) {
    await link.close()
    throw error
  }
  return link
}

/** On a busy machine the gateway's threads go first: the spool can wait, callers cannot. */
function giveWay(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) setPriority(child.pid, audit_niceness)
  } catch {
    // Not permitted here; it then runs beside the others.
  }
}

const nothing: WriterProgress = {
  removed: 0,
  inserted_rows: 0,
  failed_batches: 0,
  rejected_rows: 0,
  dropped: 0,
  failing: null,
}

class ProcessLink implements AuditLink {
  readonly #options: AuditLinkOptions
  #child: ChildProcess | null = null
  #exited: Promise<void> = Promise.resolve()
  #ready = false
  #closing = false
  #restarts = 0
  #restart: NodeJS.Timeout | null = null
  #settleStart: ((failure: AuditError | null) => void) | null = null
  #hurry_up_to = 0
  #before: WriterProgress = nothing
  #now: WriterProgress = nothing
  #asked = 0
  readonly #answers = new Map<
    number,
    {
      readonly parts: unknown[]
      readonly resolve: (parts: unknown[]) => void
      readonly reject: (e: Error) => void
    }
  >()

  constructor(options: AuditLinkOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const settled = Promise.withResolvers<AuditError | null>()
    this.#settleStart = settled.resolve
    const timer = setTimeout(settled.resolve, first_answer_ms_max, null)
    this.#fork()
    const failure = await settled.promise
    clearTimeout(timer)
    this.#settleStart = null
    if (failure !== null) throw failure
  }

  #fork(): void {
    const child = fork(entry, {
      serialization: 'advanced',
      // Typed arrays and 64-bit floats cross the pipe as they are; what the process prints goes where ours does.
      execArgv: [
        '--disable-warning=ExperimentalWarning',
        `--max-old-space-size=${heap_megabytes_max}`,
        '--max-semi-space-size=8',
      ],
      // Only what Node needs: the gateway's environment can hold credentials.
      env: {
        PATH: process.env.PATH,
        TZ: process.env.TZ,
        TMPDIR: process.env.TMPDIR,
        UV_THREADPOOL_SIZE: '8',
      },
    })
    this.#child = child
    this.#ready = false
    giveWay(child)
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#onExit(child, code, signal)
        resolve()
      })
    })
    child.on('error', () => {})
    child.on('message', (message) => this.#receive(message as FromAudit))
    this.#send(this.#options.open)
  }

  #receive(message: FromAudit): void {
    if (message.kind === 'part') this.#answers.get(message.id)?.parts.push(message.value)
    else if (message.kind === 'done' || message.kind === 'refused') this.#onAnswered(message)
    else if (message.kind === 'log') this.#options.log[message.level](message.fields, message.message)
    else if (message.kind === 'ready') this.#onReady()
    else if (message.kind === 'not_ready') this.#onNotReady(message)
    else {
      this.#now = message.progress
      this.#options.progress(this.progress())
    }
  }

  #onAnswered(message: Extract<FromAudit, { kind: 'done' | 'refused' }>): void {
    const answer = this.#answers.get(message.id)
    this.#answers.delete(message.id)
    if (message.kind === 'done') answer?.resolve(answer.parts)
    else answer?.reject(new AuditError(message.failure.code, message.failure.message))
  }

  #onReady(): void {
    this.#ready = true
    this.#restarts = 0
    this.#options.log.info({ pid: this.#child?.pid ?? 0 }, 'the audit process is ready')
    this.#settleStart?.(null)
    if (this.#hurry_up_to > 0) this.hurry(this.#hurry_up_to)
  }

  #onNotReady({ failure, final }: Extract<FromAudit, { kind: 'not_ready' }>): void {
    const starting = this.#settleStart
    if (final && starting !== null) starting(new AuditError(failure.code, failure.message))
    else if (final) {
      this.#options.log.error({ code: failure.code }, `the audit cannot be written: ${failure.message}`)
      // Tried again from the start, with the usual pauses.
      this.#child?.kill('SIGKILL')
    } else if (starting !== null) {
      this.#options.log.warn({ code: failure.code }, `${failure.message}; audit records wait in the spool`)
      starting(null)
    }
  }

  #onExit(child: ChildProcess, code: number | null, signal: string | null): void {
    if (this.#child !== child) return
    this.#child = null
    this.#ready = false
    this.#before = { ...this.progress(), rejected_rows: 0 }
    this.#now = { ...nothing, rejected_rows: this.#now.rejected_rows, failing: 'PROCESS_ENDED' }
    for (const { reject } of this.#answers.values()) {
      reject(new AuditError('clickhouse_unavailable', 'the audit process ended; try again'))
    }
    this.#answers.clear()
    this.#options.ended()
    if (this.#closing) return
    this.#settleStart?.(new AuditError('clickhouse_unavailable', 'the audit process ended while it started'))
    if (this.#settleStart !== null) return
    const wait = Math.min(
      limits.audit_retry_ms_max,
      limits.audit_retry_ms_min * 2 ** Math.min(this.#restarts++, 20),
    )
    this.#options.log.error({ code, signal, wait_ms: wait }, 'the audit process ended; it is started again')
    this.#restart = setTimeout(() => this.#fork(), wait)
  }

  wake(): void {
    if (this.#ready) this.#send({ kind: 'wake' })
  }

  hurry(up_to: number): void {
    this.#hurry_up_to = Math.max(this.#hurry_up_to, up_to)
    if (this.#ready) this.#send({ kind: 'hurry', up_to })
  }

  ask(ask: Ask): Promise<unknown[]> {
    if (this.#closing) return Promise.reject(new AuditError('closed', 'the audit is closed'))
    if (!this.#ready) {
      return Promise.reject(
        new AuditError('clickhouse_unavailable', 'ClickHouse is not there yet; try again'),
      )
    }
    const id = ++this.#asked
    return new Promise((resolve, reject) => {
      this.#answers.set(id, { parts: [], resolve, reject })
      this.#send({ kind: 'ask', id, ask })
    })
  }

  ready(): boolean {
    return this.#ready
  }

  progress(): WriterProgress {
    return {
      ...this.#now,
      removed: Math.max(this.#before.removed, this.#now.removed),
      inserted_rows: this.#before.inserted_rows + this.#now.inserted_rows,
      failed_batches: this.#before.failed_batches + this.#now.failed_batches,
      dropped: this.#before.dropped + this.#now.dropped,
    }
  }

  #send(message: ToAudit): void {
    if (this.#child?.connected) this.#child.send(message, () => {})
  }

  /** Lets the insert under way end; a process that does not is killed, it loses nothing by that. */
  async close(): Promise<void> {
    this.#closing = true
    if (this.#restart !== null) clearTimeout(this.#restart)
    const child = this.#child
    if (child === null) return
    this.#send({ kind: 'close' })
    const timer = setTimeout(() => child.kill('SIGKILL'), limits.audit_close_ms_max)
    await this.#exited
    clearTimeout(timer)
  }
}
