import { open } from 'node:fs/promises'
import type { Log } from '../log.ts'
import type { ClickHouse } from './clickhouse_client.ts'
import { insertFailure } from './insert_failure.ts'
import { GrowingTree } from './merkle.ts'
import type { Spool } from './spool.ts'
import { type HeadSigner, headSigner, type SignedTreeHead } from './tree_head.ts'

/** Where signed heads go beside the table `tree_heads`. */
export interface HeadOptions {
  /** PEM. */
  readonly private_key: string
  /** Gets a line of JSON a head. */
  readonly file: string
  /** Gets each head as a POST of JSON; null: nobody does. */
  readonly url: string | null
  /** Between two heads, at least. */
  readonly every_ms: number
}

export interface HeadPublisher {
  /** Tells it that the tree may have grown. */
  grown(): void
  /** Signs a head of the tree as it is, unless the last one is of the same tree. @returns the newest; null: no tree yet */
  now(): Promise<SignedTreeHead | null>
  /** Signs what is still to be signed. */
  stop(): Promise<void>
}

const post_ms_max = 10_000
const retry_ms = 5_000

export interface HeadPublisherOptions extends HeadOptions {
  readonly spool: Spool
  readonly clickhouse: ClickHouse
  readonly log: Log
}

/** Signs heads of the tree as it grows. The file has a head before the table does: it is the copy that is trusted more. */
export function startHeadPublisher(options: HeadPublisherOptions): HeadPublisher {
  return new Publisher(options)
}

class Publisher implements HeadPublisher {
  readonly #options: HeadPublisherOptions
  readonly #signer: HeadSigner
  #last: SignedTreeHead | null = null
  /** In the table as well. */
  #stored_size = -1
  #last_ms = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | null = null
  #working: Promise<unknown> = Promise.resolve()
  #stopped = false

  constructor(options: HeadPublisherOptions) {
    this.#options = options
    this.#signer = headSigner(options.private_key)
    this.grown()
  }

  grown(): void {
    this.#again(this.#last_ms + this.#options.every_ms - performance.now())
  }

  #again(ms: number): void {
    if (this.#timer !== null || this.#stopped) return
    this.#timer = setTimeout(
      () => {
        this.#timer = null
        void this.now().catch(() => this.#again(retry_ms))
      },
      Math.max(0, ms),
    )
  }

  now(): Promise<SignedTreeHead | null> {
    const turn = this.#working.then(() => this.#publish())
    this.#working = turn.catch(() => {})
    return turn
  }

  async #publish(): Promise<SignedTreeHead | null> {
    const { spool, clickhouse, log } = this.#options
    const state = spool.tree()
    if (state === null) return null
    if (this.#last?.tree_size !== state.size) {
      const root = Buffer.from(new GrowingTree(state).root()).toString('hex')
      const place = { log_id: spool.log_id, first_sequence: state.first, tree_size: state.size }
      this.#last = this.#signer.sign({ ...place, root, signed_at: Date.now() })
      this.#last_ms = performance.now()
      await this.#keep(this.#last)
      void this.#post(this.#last)
    }
    if (this.#stored_size !== state.size) {
      const { signed_at, ...head } = this.#last
      const row = { ...head, signed_at: new Date(signed_at).toISOString().replace('T', ' ').replace('Z', '') }
      try {
        await clickhouse.insert('tree_heads', [row], `${spool.log_id}:head:${state.size}`)
      } catch (error) {
        log.warn(
          { error: insertFailure(error).error },
          'a tree head is not in ClickHouse yet; it is in its file',
        )
        throw error
      }
      this.#stored_size = state.size
    }
    return this.#last
  }

  async #keep(head: SignedTreeHead): Promise<void> {
    try {
      const file = await open(this.#options.file, 'a', 0o600)
      try {
        await file.appendFile(`${JSON.stringify(head)}\n`)
        await file.datasync()
      } finally {
        await file.close()
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      this.#options.log.error(
        { file: this.#options.file, code },
        'a tree head could not be written to its file',
      )
    }
  }

  /** Not tried again: the next head covers all that this one does. */
  async #post(head: SignedTreeHead): Promise<void> {
    const { url, log } = this.#options
    if (url === null) return
    try {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(head),
        redirect: 'error',
        signal: AbortSignal.timeout(post_ms_max),
      })
      await answer.body?.cancel()
      if (!answer.ok) log.warn({ status: answer.status }, 'the receiver of tree heads refused one')
    } catch {
      log.warn({}, 'the receiver of tree heads cannot be reached')
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.now().catch(() => {})
  }
}
