import { Worker } from 'node:worker_threads'
import { limits } from '../config/limits.ts'
import type { Log } from '../log.ts'
import type { Snapshot } from '../policy/snapshot.ts'
import { batchedPort } from './batched_port.ts'
import { describeCrash } from './describe_crash.ts'
import { ListenError } from './listenable_port.ts'
import type { ToControl, ToWorker } from './messages.ts'
import { SharedCounts } from './shared_counts.ts'

/** A worker that keeps failing before it listens is given up after so many attempts. */
const failures_max = 8
const restart_ms_min = 100
const restart_ms_max = 10_000
/** A worker that listened this long has recovered; the next crash counts from one again. */
const recovered_ms = 60_000
/** Until a worker must listen at the gateway's start. */
const listen_ms_max = 60_000
/** Beyond the grace that a stopping worker was given. */
const exit_ms_max = 2_000

export interface WorkersOptions {
  readonly count: number
  readonly host: string
  /** Shared by all. Not 0: the native server does not share a port that it chose itself. */
  readonly port: number
  /** This gateway's name in the audit. */
  readonly gateway: string
  /** What a worker begins with, asked anew for each start. */
  readonly snapshot: () => Snapshot
  /** What a worker must hear at once beside its snapshot. */
  readonly greeting: () => readonly ToWorker[]
  readonly onMessage: (worker: number, message: Exclude<ToControl, Internal>) => void
  /** A worker ended unasked; whatever it held is gone. */
  readonly onLost: (worker: number) => void
  /** The last worker was given up: nobody serves the port any more. */
  readonly onHopeless: (reason: string) => void
  readonly log: Log
  /** See `sharedCountsMemory`. */
  readonly counts: SharedArrayBuffer
  /** The thread's entry. Default: the proxy. */
  readonly entry?: URL
}

/** Handled here, not by whoever spawned. */
type Internal = { kind: 'listening' } | { kind: 'failed' } | { kind: 'stopped' }

export interface Workers {
  /** Resolves once every worker listens; rejects when one cannot, and then all were told to end. */
  readonly ready: Promise<void>
  /** Does nothing when that worker is not there at the moment. */
  send(worker: number, message: ToWorker): void
  broadcast(message: ToWorker): void
  /** Workers that listen. */
  listening(): number
  /**
   * Lets every worker finish what it has begun, for at most `grace_ms`.
   * A thread that does not end in time is left behind; it goes when the process does.
   */
  stop(grace_ms: number): Promise<void>
}

/** Starts the proxy threads and keeps them running. Messages may come before `ready`. */
export function spawnWorkers(options: WorkersOptions): Workers {
  // The native server reads it once, from the process's environment, when a thread loads it.
  process.env.UWS_HTTP_MAX_HEADERS_SIZE = String(limits.request_headers_bytes_max)
  return new WorkerPool(options)
}

interface Slot {
  readonly index: number
  worker: Worker | null
  port: { send(message: ToWorker): void; flush(): void; close(): void } | null
  listening_since: number | null
  failures: number
  given_up: boolean
  restart: NodeJS.Timeout | null
}

class WorkerPool implements Workers {
  readonly ready: Promise<void>
  readonly #options: WorkersOptions
  readonly #slots: Slot[]
  /** Outlives each worker. */
  readonly #counts: SharedArrayBuffer
  #stopping = false
  /**
   * An ordinary exit takes the threads down, and a thread that still has sockets open in the native server then aborts
   * the whole process. This one leaves them to the operating system.
   */
  readonly #exitHard = (code: number) => {
    const threads = this.#slots.some((slot) => slot.worker !== null)
    if (threads) (process as unknown as { reallyExit(code: number): never }).reallyExit(code)
  }

  constructor(options: WorkersOptions) {
    this.#options = options
    this.#counts = options.counts
    this.#slots = Array.from({ length: options.count }, (_, index) => ({
      index,
      worker: null,
      port: null,
      listening_since: null,
      failures: 0,
      given_up: false,
      restart: null,
    }))
    this.ready = this.#start()
  }

  async #start(): Promise<void> {
    process.on('exit', this.#exitHard)
    try {
      await Promise.all(this.#slots.map((slot) => this.#launchFirst(slot)))
    } catch (error) {
      await this.stop(0)
      throw error
    }
  }

  send(worker: number, message: ToWorker): void {
    this.#slots[worker]?.port?.send(message)
  }

  broadcast(message: ToWorker): void {
    for (const slot of this.#slots) slot.port?.send(message)
  }

  listening(): number {
    return this.#slots.filter((slot) => slot.listening_since !== null).length
  }

  async stop(grace_ms: number): Promise<void> {
    this.#stopping = true
    for (const slot of this.#slots) if (slot.restart) clearTimeout(slot.restart)
    const ended = this.#slots.map(async ({ worker, port }) => {
      if (!worker) return
      const gone = new Promise((resolve) => worker.once('exit', resolve))
      port?.send({ kind: 'stop', grace_ms })
      port?.flush()
      await Promise.race([gone, timeout(grace_ms + exit_ms_max)])
    })
    await Promise.all(ended)
    const left = this.#slots.filter((slot) => slot.worker !== null)
    for (const slot of left) {
      // Whatever it still says would reach parts that are closed.
      slot.port?.close()
      slot.worker?.unref()
    }
    if (left.length > 0) this.#options.log.warn({ threads: left.length }, 'proxy workers did not end in time')
    else process.off('exit', this.#exitHard)
  }

  /** Launches a worker at the gateway's own start, where failing to listen is the gateway's failure. */
  async #launchFirst(slot: Slot): Promise<void> {
    let reason = `proxy worker ${slot.index} did not listen within ${listen_ms_max} ms`
    const outcome = await Promise.race([
      this.#launch(slot, (message) => {
        reason = message
      }),
      timeout(listen_ms_max).then(() => false),
    ])
    if (!outcome) throw new ListenError('worker_failed', reason)
  }

  /** Resolves with true once the worker listens, with false when it ended before. */
  #launch(slot: Slot, failed: (message: string) => void = () => {}): Promise<boolean> {
    const { host, port: listen_port, gateway, snapshot, greeting, log } = this.#options
    const workerData = {
      host,
      port: listen_port,
      worker_index: slot.index,
      gateway,
      snapshot: snapshot(),
      counts: this.#counts,
    }
    const worker = new Worker(this.#options.entry ?? new URL('../proxy/worker.ts', import.meta.url), {
      workerData,
      name: `proxy-${slot.index}`,
    })
    slot.worker = worker
    return new Promise((resolve) => {
      const port = batchedPort<ToControl, ToWorker>(worker, (message) => {
        if (message.kind === 'listening') {
          slot.listening_since = performance.now()
          for (const greeted of greeting()) port.send(greeted)
          resolve(true)
        } else if (message.kind === 'failed') {
          failed(message.message)
          log.error({ worker: slot.index, reason: message.message }, 'proxy worker failed')
          if (slot.listening_since === null) resolve(false)
        } else if (message.kind !== 'stopped') this.#options.onMessage(slot.index, message)
      })
      slot.port = port
      worker.on('error', (error: Error) => {
        failed(describeCrash(error))
        log.error({ worker: slot.index, reason: describeCrash(error) }, 'proxy worker crashed')
      })
      worker.once('exit', (code) => {
        resolve(false)
        this.#ended(slot, code)
      })
    })
  }

  #ended(slot: Slot, code: number): void {
    const listened = slot.listening_since
    slot.port?.close()
    slot.worker = null
    slot.port = null
    slot.listening_since = null
    if (this.#stopping) return
    new SharedCounts(this.#counts, slot.index).closeAll()
    this.#options.onLost(slot.index)
    slot.failures = listened !== null && performance.now() - listened > recovered_ms ? 1 : slot.failures + 1
    this.#restartLater(slot, code)
  }

  #restartLater(slot: Slot, code: number): void {
    const { log, onHopeless } = this.#options
    if (slot.failures > failures_max) {
      slot.given_up = true
      log.error({ worker: slot.index, failures: slot.failures }, 'proxy worker given up')
      if (this.#slots.every((each) => each.given_up)) onHopeless('every proxy worker keeps crashing')
      return
    }
    const wait_ms = Math.min(restart_ms_min * 2 ** (slot.failures - 1), restart_ms_max)
    log.error(
      { worker: slot.index, exit_code: code, restart_in_ms: wait_ms },
      'proxy worker ended; starting another',
    )
    slot.restart = setTimeout(() => {
      slot.restart = null
      void this.#launch(slot)
    }, wait_ms)
  }
}

/** Resolves after a time that does not keep the process alive. */
function timeout(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
