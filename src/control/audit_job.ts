import type { Audit } from '../audit/audit.ts'

/** Work on the whole audit: it may run longer than a request can wait. */
export interface AuditJob<T> {
  readonly state: 'none' | 'running' | 'done' | 'failed'
  /** Milliseconds since the epoch; 0: not yet. */
  readonly started_at: number
  readonly ended_at: number
  readonly report: T | null
  /** Why it could not be done. */
  readonly problem: string
}

const none = { state: 'none', started_at: 0, ended_at: 0, problem: '' } as const

/** Work of one kind, at most one at a time for an audit. */
export class AuditJobs<T> {
  /** The last of each audit, running or done. */
  readonly #last = new WeakMap<Audit, AuditJob<T>>()

  last(audit: Audit): AuditJob<T> {
    return this.#last.get(audit) ?? { ...none, report: null }
  }

  /** Begins it. To be called when none is running. */
  begin(audit: Audit, work: Promise<T>): AuditJob<T> {
    const begun: AuditJob<T> = { ...none, state: 'running', started_at: Date.now(), report: null }
    this.#last.set(audit, begun)
    work.then(
      (report) => this.#last.set(audit, { ...begun, state: 'done', ended_at: Date.now(), report }),
      (error: Error) =>
        this.#last.set(audit, { ...begun, state: 'failed', ended_at: Date.now(), problem: error.message }),
    )
    return begun
  }
}
