import { randomBytes } from 'node:crypto'
import { limits } from '../config/limits.ts'
import type { Principal } from '../policy/principal.ts'

const sweep_ms = 15_000

/** Somebody who signed in to the dashboard. */
export interface Session {
  /** 256 random bits in base64url; the cookie's value. Never logged. */
  readonly id: string
  readonly person: Principal
  /** In ms since the epoch. */
  readonly expires_at: number
}

/** Sessions of this process, in memory: a restart signs everybody out. The oldest goes when there are too many. */
export class Sessions {
  readonly #sessions = new Map<string, Session>()
  readonly #ended: ((id: string) => void)[] = []
  readonly #now: () => number
  readonly #timer: NodeJS.Timeout

  constructor(now: () => number = Date.now) {
    this.#now = now
    this.#timer = setInterval(() => this.#sweep(), sweep_ms)
    this.#timer.unref()
  }

  open(person: Principal): Session {
    if (this.#sessions.size >= limits.sessions_max) {
      for (const id of this.#sessions.keys()) {
        this.end(id)
        break
      }
    }
    const id = randomBytes(32).toString('base64url')
    const session = { id, person, expires_at: this.#now() + limits.session_ms_max }
    this.#sessions.set(id, session)
    return session
  }

  get(id: string): Session | null {
    const session = this.#sessions.get(id)
    if (!session) return null
    if (this.#now() < session.expires_at) return session
    this.end(id)
    return null
  }

  /** Signs out. */
  end(id: string): void {
    if (!this.#sessions.delete(id)) return
    for (const ended of this.#ended) ended(id)
  }

  /** Signed out, expired, or pushed out by newer ones. */
  onEnd(ended: (id: string) => void): void {
    this.#ended.push(ended)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #sweep(): void {
    for (const session of [...this.#sessions.values()]) {
      if (session.expires_at <= this.#now()) this.end(session.id)
    }
  }
}
