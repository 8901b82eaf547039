import type { Finding, Scanner, ScanStream, StreamOptions } from '../scanner/scanner.ts'

/** The type by which `openBody` is told of a JSON array whose elements carry pieces of texts, as Gemini streams. */
export const array_of_deltas = 'application/json; of=deltas'

const LINE_FEED = 10
/** Stands for the line feeds between tokens meanwhile; no JSON text has it (RFC 8259 section 7). */
const SEPARATOR = 0x1e
const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * A JSON array, read as JSON lines: each element is a line, and so is what stands between two of them, so that pieces of one
 * text are joined over elements. What comes out is an array again, byte for byte but for the masks.
 */
export class JsonArrayStream implements ScanStream {
  bytes = 0
  readonly #lines: ScanStream
  #depth = 0
  #in_string = false
  #escaped = false

  constructor(scanner: Scanner, options: Omit<StreamOptions, 'contentType'>) {
    this.#lines = scanner.open({ ...options, contentType: 'application/x-ndjson' })
  }

  get findings(): readonly Finding[] {
    return this.#lines.findings
  }

  takeFindings(): readonly Finding[] {
    return this.#lines.takeFindings()
  }

  readonly model = ''
  readonly modelCount = 0

  push(chunk: Uint8Array): Uint8Array {
    return asArray(this.#lines.push(this.#asLines(chunk)))
  }

  end(last: Uint8Array = new Uint8Array(0)): Uint8Array {
    return asArray(this.#lines.end(this.#asLines(last)))
  }

  #asLines(chunk: Uint8Array): Uint8Array {
    this.bytes += chunk.length
    const lines = new Uint8Array(2 * chunk.length)
    let to = 0
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!
      const depth = this.#depth
      this.#read(byte)
      if (depth === 1 && this.#depth === 2) lines[to++] = LINE_FEED
      lines[to++] = byte === LINE_FEED ? SEPARATOR : byte
      if (depth === 2 && this.#depth === 1) lines[to++] = LINE_FEED
    }
    return lines.subarray(0, to)
  }

  #read(byte: number): void {
    if (this.#in_string) {
      if (this.#escaped) this.#escaped = false
      else if (byte === BACKSLASH) this.#escaped = true
      else if (byte === QUOTE) this.#in_string = false
    } else if (byte === QUOTE) this.#in_string = true
    else if (byte === 0x7b || byte === 0x5b) this.#depth++
    else if (byte === 0x7d || byte === 0x5d) this.#depth--
  }
}

function asArray(lines: Uint8Array): Uint8Array {
  const array = new Uint8Array(lines.length)
  let to = 0
  for (let i = 0; i < lines.length; i++) {
    const byte = lines[i]!
    if (byte !== LINE_FEED) array[to++] = byte === SEPARATOR ? LINE_FEED : byte
  }
  return array.subarray(0, to)
}
