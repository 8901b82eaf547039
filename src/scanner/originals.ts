/** Most bytes of secrets that one exchange keeps for its caller. */
const originals_bytes_max = 262_144
const encoder = new TextEncoder()

/** Most secrets, which the engine compares one by one (see RESTORABLE in assembly/styles.ts). */
export const originals_count_max = 1024

/** How a text stands in its body: as it is, in a JSON string, or in a JSON string of a text that is JSON itself. */
export type TextLevel = 0 | 1 | 2

/** One range that the engine replaced. */
export interface Replaced {
  /** The input's bytes: a view. */
  readonly bytes: Uint8Array
  readonly level: TextLevel
  /** The pseudonym's digest. */
  readonly digest: number
  /** False when it goes on from the range before. */
  readonly first: boolean
}

/**
 * The secrets that one exchange replaced by pseudonyms, for as long as it lasts: what its request took out, its response
 * puts back in. Never stored, never shared between exchanges.
 */
export class Originals {
  /** By digest; null for what cannot be told apart, is too much, or is no text. */
  readonly #secrets = new Map<number, string | null>()
  #open: { readonly digest: number; readonly level: TextLevel; readonly parts: Uint8Array[] } | null = null
  #bytes = 0
  #digests: readonly number[] = []

  /** Digests of what can be put back. A new array whenever that changes. */
  get digests(): readonly number[] {
    return this.#digests
  }

  /** Takes note of a range that a pseudonym stands for. A long secret comes in several. */
  take(replaced: Replaced): void {
    if (replaced.first) {
      this.close()
      this.#open = { digest: replaced.digest, level: replaced.level, parts: [] }
    }
    this.#bytes += replaced.bytes.length
    if (this.#bytes <= originals_bytes_max) this.#open?.parts.push(replaced.bytes.slice())
  }

  /** What was taken last is whole. */
  close(): void {
    const open = this.#open
    if (open === null) return
    this.#open = null
    const text = this.#bytes > originals_bytes_max ? null : textOf(open.parts, open.level)
    const known = this.#secrets.get(open.digest)
    if (known === undefined && this.#secrets.size === originals_count_max) return
    const same = known === undefined || known === text
    this.#secrets.set(open.digest, same ? text : null)
    this.#digests = [...this.#secrets].filter(([, secret]) => secret !== null).map(([digest]) => digest)
  }

  /**
   * The secret behind a pseudonym as it must stand where that stood.
   * @param events whether a text as it is stands in a line of an event stream
   */
  at(digest: number, level: TextLevel, events: boolean): Uint8Array {
    let text = this.#secrets.get(digest)
    if (typeof text !== 'string') throw new Error('a pseudonym was put back that nothing stands behind')
    // a field's lines are joined by line feeds (WHATWG HTML section 9.2.6)
    if (level === 0 && events) text = text.replace(/\r\n|\r|\n/g, '\ndata: ')
    for (let i = 0; i < level; i++) text = JSON.stringify(text).slice(1, -1)
    return encoder.encode(text)
  }
}

/** The text that these bytes stand for; null when they are none. */
function textOf(parts: readonly Uint8Array[], level: TextLevel): string | null {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  try {
    const raw = parts.map((part) => decoder.decode(part, { stream: true })).join('') + decoder.decode()
    return level === 0 ? raw : (JSON.parse(`"${raw}"`) as string)
  } catch {
    return null // not UTF-8, or a string that only a lenient parser reads
  }
}
