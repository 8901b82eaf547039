import type { Finding } from './finding.ts'

const finding_bytes = 48
/** What the engine calls a trigger, and a secret in a string that is never altered. */
const kind_keyword = 1
const kind_kept = 2
/** Longest mask of fixed length that a finding shows, in bytes. */
const shown_stars_max = 64

/** The names behind the engine's numbers. */
export interface FindingNames {
  readonly ids: readonly string[]
  readonly keywords: readonly string[]
  /** By node of the path trie. */
  readonly paths: readonly string[]
}

/** Reads the findings that the engine leaves in its memory after a call. */
export class FindingReader {
  readonly #memory: Uint8Array
  readonly #view: DataView
  readonly #at: number
  readonly #names: FindingNames

  /** @param at where the engine leaves them */
  constructor(memory: Uint8Array, at: number, names: FindingNames) {
    this.#memory = memory
    this.#view = new DataView(memory.buffer)
    this.#at = at
    this.#names = names
  }

  /** @param masking whether what was found was replaced */
  read(count: number, style: string, masking: boolean, findings: Finding[]): void {
    const { ids, keywords } = this.#names
    const view = this.#view
    for (let i = 0; i < count; i++) {
      const at = this.#at + i * finding_bytes
      const index = view.getUint32(at, true)
      const kind = view.getUint32(at + 4, true)
      const keyword = kind === kind_keyword
      const id = keyword ? 'keyword' : ids[index]!
      findings.push({
        detector: id,
        kind: keyword ? 'keyword' : 'secret',
        channel: this.#channelName(view.getUint32(at + 8, true)),
        start: view.getFloat64(at + 16, true),
        end: view.getFloat64(at + 24, true),
        entropy: Math.round(view.getFloat32(at + 12, true) * 100) / 100,
        fingerprint: keyword ? '' : hex(this.#memory.subarray(at + 32, at + 40)),
        masked: keyword ? keywords[index]! : this.#maskAt(at, id, style, masking),
        action: !keyword && kind !== kind_kept && masking ? 'mask' : 'flag',
      })
    }
  }

  /** The mask that the finding at this address got, or would have got. */
  #maskAt(at: number, id: string, style: string, masking: boolean): string {
    if (style === 'fixed') {
      const bytes = this.#view.getFloat64(at + 24, true) - this.#view.getFloat64(at + 16, true)
      return '*'.repeat(Math.min(bytes, shown_stars_max))
    }
    if (style !== 'pseudonym' || !masking) return `[REDACTED:${id}]`
    return `[SECRET:${id}:${hex(this.#memory.subarray(at + 40, at + 43))}]`
  }

  /** Name of a channel: its path with the positions that the finding carries, innermost last. */
  #channelName(key: number): string {
    const node = key & 0xffff
    if (key === 0) return 'body'
    const path = this.#names.paths[node]
    if (path === undefined || path === '') return 'data'
    const steps = path.split('[]')
    const positions = [(key >>> 16) & 0xff, key >>> 24]
    if (steps.length === 1) return positions[0] === 0 ? path : `${path}[${positions[0]}]`
    let name = steps[steps.length - 1]!
    for (let i = steps.length - 2; i >= 0; i--) {
      name = `${steps[i]}.${positions[steps.length - 2 - i] ?? 0}${name}`
    }
    return name
  }
}

const hex_of_byte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function hex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += hex_of_byte[byte]!
  return text
}
