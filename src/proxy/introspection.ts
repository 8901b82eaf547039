import { limits } from '../config/limits.ts'
import type { Introspected } from '../identity/introspector.ts'
import { TokenCache } from '../identity/token_cache.ts'
import type { ToControl } from '../threads/messages.ts'

const LATE: Introspected = {
  code: 'introspection_unavailable',
  message: 'the issuer of the token did not answer in time',
}

interface Waiting {
  readonly answer: Promise<Introspected>
  readonly resolve: (answer: Introspected) => void
}

/** Questions about opaque tokens that control was asked and has not answered yet. */
export class Introspection {
  readonly #send: (message: ToControl) => void
  readonly #waiting = new Map<string, Waiting>()

  constructor(send: (message: ToControl) => void) {
    this.#send = send
  }

  /** Requests that bring the same token wait together, for at most `introspection_wait_ms_max`. */
  ask(token: string): Promise<Introspected> {
    const token_id = TokenCache.key(token)
    let waiting = this.#waiting.get(token_id)
    if (waiting === undefined) {
      const { promise, resolve } = Promise.withResolvers<Introspected>()
      const timer = setTimeout(() => this.onAnswer(token_id, LATE), limits.introspection_wait_ms_max)
      waiting = {
        answer: promise,
        resolve: (answer) => {
          clearTimeout(timer)
          resolve(answer)
        },
      }
      this.#waiting.set(token_id, waiting)
      this.#send({ kind: 'introspect', token_id, token })
    }
    return waiting.answer
  }

  onAnswer(token_id: string, answer: Introspected): void {
    this.#waiting.get(token_id)?.resolve(answer)
    this.#waiting.delete(token_id)
  }
}
