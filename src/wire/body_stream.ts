import type { ScanStream } from '../scanner/scanner.ts'

/** One body, whatever it is made of. Not to be used after `end()`. */
export interface BodyStream extends ScanStream {
  /** Bytes that went through unseen, such as an image among the parts of a form. */
  readonly unscanned_bytes: number
  /** Why; empty when none did. */
  readonly unscanned_reason: string
  /** What the last call returned without those bytes, which are never recorded. */
  readonly recordable: Uint8Array
}

/** Collects what goes out during one call. */
export class OutputParts {
  #parts: Uint8Array[] = []
  #bytes = 0

  /** @param view copied unless `keeps` */
  add(view: Uint8Array, keeps = false): void {
    if (view.length === 0) return
    this.#parts.push(keeps ? view : view.slice())
    this.#bytes += view.length
  }

  /** Everything since the last call. */
  take(): Uint8Array {
    const parts = this.#parts
    const all = parts.length === 1 ? parts[0]! : new Uint8Array(this.#bytes)
    if (parts.length > 1) {
      let at = 0
      for (const part of parts) {
        all.set(part, at)
        at += part.length
      }
    }
    this.#parts = []
    this.#bytes = 0
    return all
  }
}
