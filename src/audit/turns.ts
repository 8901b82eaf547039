import { AuditError } from './audit_error.ts'

/** Lets so many pieces of work run at once, and so many wait for their turn. */
export class Turns {
  readonly #at_once_max: number
  readonly #waiting_max: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(at_once_max: number, waiting_max: number) {
    this.#at_once_max = at_once_max
    this.#waiting_max = waiting_max
  }

  /** @throws AuditError `busy` when too many wait already */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#at_once_max) {
      if (this.#waiting.length >= this.#waiting_max) {
        throw new AuditError('busy', 'too many queries are waiting; try again later')
      }
      // Whoever ends hands its place over, so nobody slips in between.
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else this.#running++
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }
}
