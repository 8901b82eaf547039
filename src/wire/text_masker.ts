import type { Finding } from '../scanner/finding.ts'
import type { Scanner, ScannerStyle } from '../scanner/scanner.ts'

export interface MaskedText {
  readonly text: string
  readonly findings: readonly Finding[]
}

const NONE: readonly Finding[] = []

/**
 * Masks short texts: header values, queries, paths. Callers send the same ones again and again, so texts that turned out
 * clean are remembered (and only those: nothing secret is kept) and cost a look-up the next time.
 */
export class TextMasker {
  readonly #scanner: Scanner
  readonly #entries_max: number
  readonly #chars_max: number
  #young = new Set<string>()
  #old = new Set<string>()

  constructor(scanner: Scanner, limits: { clean_text_entries_max: number; clean_text_chars_max: number }) {
    this.#scanner = scanner
    this.#entries_max = limits.clean_text_entries_max
    this.#chars_max = limits.clean_text_chars_max
  }

  mask(text: string, style: ScannerStyle = 'label'): MaskedText {
    if (this.#isKnown(text)) return { text, findings: NONE }
    const stream = this.#scanner.open({ contentType: 'text/plain', style })
    const view = stream.end(Buffer.from(text, 'utf8'))
    if (stream.findings.length > 0) return { text: decode(view), findings: stream.findings }
    if (text.length <= this.#chars_max) this.#remember(text)
    return { text, findings: NONE }
  }

  #isKnown(text: string): boolean {
    if (this.#young.has(text)) return true
    if (!this.#old.has(text)) return false
    this.#remember(text)
    return true
  }

  /** Two generations: when the young one is full it becomes the old one, and what is still in use is remembered anew. */
  #remember(text: string): void {
    if (this.#young.size >= this.#entries_max / 2) {
      this.#old = this.#young
      this.#young = new Set()
    }
    this.#young.add(text)
  }
}

function decode(view: Uint8Array): string {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('utf8')
}
