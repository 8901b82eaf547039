import { closeSync, openSync, readSync } from 'node:fs'

const block_bytes = 65_536
/** Blocks whose line breaks are remembered one by one: 16 MiB of text, more than any finding but a broken-off key spans. */
const blocks_remembered = 256
const line_feed = 10

/**
 * Line numbers of byte offsets in a text that passes by once. Remembers the line at every 64 KiB for the whole text, and
 * each line break of the last 16 MiB.
 */
export class LineIndex {
  /** Line breaks before each block. */
  readonly #breaks_before: number[] = [0]
  /** Offsets of line breaks within a block, for the last blocks. */
  readonly #breaks = new Map<number, number[]>()
  /** The text as a file, to look at again what is no longer remembered. */
  readonly #file: string | undefined
  #bytes = 0
  #count = 0

  constructor(file?: string) {
    this.#file = file
  }

  /** Takes note of the next bytes of the text. */
  add(chunk: Uint8Array): void {
    let from = 0
    while (from < chunk.length) {
      const block = Math.floor(this.#bytes / block_bytes)
      const to = Math.min(chunk.length, from + (block + 1) * block_bytes - this.#bytes)
      this.#addToBlock(block, chunk.subarray(from, to))
      this.#bytes += to - from
      from = to
      if (this.#bytes % block_bytes === 0) this.#breaks_before.push(this.#count)
    }
  }

  #addToBlock(block: number, part: Uint8Array): void {
    const start = this.#bytes - block * block_bytes
    const breaks = this.#breaks.get(block) ?? []
    const known = breaks.length
    for (let at = part.indexOf(line_feed); at >= 0; at = part.indexOf(line_feed, at + 1))
      breaks.push(start + at)
    this.#count += breaks.length - known
    this.#breaks.set(block, breaks)
    this.#breaks.delete(block - blocks_remembered)
  }

  /**
   * Line of the byte at `offset`, from 1. For text that no file holds and that lies over 16 MiB back, the line on which its
   * 64 KiB block begins.
   */
  lineAt(offset: number): number {
    const block = Math.floor(offset / block_bytes)
    const within = offset - block * block_bytes
    const breaks = this.#breaks.get(block) ?? this.#readBreaks(block)
    return (this.#breaks_before[block] ?? 0) + lowerBound(breaks, within) + 1
  }

  #readBreaks(block: number): number[] {
    if (this.#file === undefined) return []
    const bytes = Buffer.alloc(block_bytes)
    const file = openSync(this.#file, 'r')
    try {
      const count = readSync(file, bytes, 0, block_bytes, block * block_bytes)
      return [...bytes.subarray(0, count).keys()].filter((at) => bytes[at] === line_feed)
    } finally {
      closeSync(file)
    }
  }
}

/** How many of the ascending numbers are below `bound`. */
function lowerBound(numbers: readonly number[], bound: number): number {
  let low = 0
  let high = numbers.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (numbers[middle]! < bound) low = middle + 1
    else high = middle
  }
  return low
}
