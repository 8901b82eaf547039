import type { Finding, Scanner, StreamOptions, TextStream } from '../scanner/scanner.ts'
import { type BodyStream, OutputParts } from './body_stream.ts'

const AMPERSAND = 38
const PERCENT = 37
const PLUS = 43
const SPACE = 32
/** What is scanned at once, in bytes. */
const run_bytes_max = 16_384
/** Of a field, to know `model=` and its value. */
const model_bytes_max = 6 + 256

/**
 * `application/x-www-form-urlencoded` (WHATWG URL standard, section 5): each `name=value` is one text, unescaped, so that
 * what a name says of its value counts. What is found is replaced and escaped; every other byte stays as it was written.
 */
export class FormStream implements BodyStream {
  readonly findings: Finding[] = []
  bytes = 0
  model = ''
  modelCount = 0
  readonly unscanned_bytes = 0
  readonly unscanned_reason = ''
  recordable: Uint8Array = new Uint8Array(0)
  readonly #scanner: Scanner
  readonly #options: StreamOptions
  readonly #out = new OutputParts()
  #field = 0
  #stream: TextStream | null = null
  /** Unescaped bytes that are not scanned yet. */
  readonly #run = new Uint8Array(run_bytes_max)
  #run_bytes = 0
  /** As written, and how many bytes each unescaped one has there, of what did not go out yet. */
  readonly #written = new ByteQueue()
  readonly #lengths = new ByteQueue()
  /** An escape that is not whole: `%` or `%4`. */
  #escape: number[] = []
  #head: number[] = []

  constructor(scanner: Scanner, options: Omit<StreamOptions, 'contentType'>) {
    this.#scanner = scanner
    this.#options = { ...options, contentType: 'text/plain' }
  }

  push(chunk: Uint8Array): Uint8Array {
    this.#takeAll(chunk)
    this.#scan(false)
    return this.#taken()
  }

  end(last: Uint8Array = new Uint8Array(0)): Uint8Array {
    this.#takeAll(last)
    this.#endField()
    return this.#taken()
  }

  takeFindings(): readonly Finding[] {
    return this.findings.splice(0)
  }

  #taken(): Uint8Array {
    this.recordable = this.#out.take()
    return this.recordable
  }

  #takeAll(chunk: Uint8Array): void {
    this.bytes += chunk.length
    for (let i = 0; i < chunk.length; i++) this.#take(chunk[i]!)
  }

  #take(byte: number): void {
    const begun = this.#escape
    if (begun.length === 0) {
      if (byte === PERCENT) begun.push(byte)
      else if (byte === AMPERSAND) this.#endField()
      else this.#add(byte === PLUS ? SPACE : byte, byte)
      if (byte === AMPERSAND) this.#out.add(Uint8Array.of(AMPERSAND), true)
      return
    }
    if (digitOf(byte) === -1) {
      this.#dropEscape()
      this.#take(byte)
      return
    }
    begun.push(byte)
    if (begun.length < 3) return
    this.#add(digitOf(begun[1]!) * 16 + digitOf(byte), ...begun)
    this.#escape = []
  }

  /** What began as an escape is none: it stands for itself. */
  #dropEscape(): void {
    for (const byte of this.#escape) this.#add(byte, byte)
    this.#escape = []
  }

  #add(byte: number, ...written: number[]): void {
    if (this.#run_bytes === run_bytes_max) this.#scan(false)
    this.#run[this.#run_bytes++] = byte
    for (const one of written) this.#written.push(one)
    this.#lengths.push(written.length)
    if (this.#head.length < model_bytes_max) this.#head.push(byte)
  }

  #endField(): void {
    this.#dropEscape()
    this.#scan(true)
    const head = Buffer.from(this.#head).toString('utf8')
    this.#head = []
    this.#field++
    if (!head.startsWith('model=')) return
    this.modelCount++
    this.model = head.slice('model='.length)
  }

  #scan(final: boolean): void {
    const run = this.#run.subarray(0, this.#run_bytes)
    this.#run_bytes = 0
    if (this.#stream === null && run.length === 0) return
    this.#stream ??= this.#scanner.open(this.#options)
    const stream = this.#stream
    const out = final ? stream.end(run) : stream.push(run)
    this.#write(out, stream)
    for (const finding of stream.takeFindings()) {
      this.findings.push({ ...finding, channel: `form.${this.#field}` })
    }
    if (final) this.#stream = null
  }

  /** Sends the bytes as they were written, but masks escaped in the place of what they replace. */
  #write(out: Uint8Array, { replaced }: TextStream): void {
    let at = 0
    for (const { at: mask, bytes, input_bytes } of replaced) {
      this.#out.add(this.#takeWritten(mask - at))
      this.#takeWritten(input_bytes)
      this.#out.add(escaped(out.subarray(mask, mask + bytes)), true)
      at = mask + bytes
    }
    this.#out.add(this.#takeWritten(out.length - at))
  }

  /** @param bytes unescaped */
  #takeWritten(bytes: number): Uint8Array {
    let written = 0
    for (const length of this.#lengths.take(bytes)) written += length
    return this.#written.take(written)
  }
}

/** Bytes that go in and out in order. */
class ByteQueue {
  #bytes = new Uint8Array(256)
  #from = 0
  #to = 0

  push(byte: number): void {
    if (this.#to === this.#bytes.length) this.#makeRoom()
    this.#bytes[this.#to++] = byte
  }

  /** A view, valid until the next `push`. */
  take(bytes: number): Uint8Array {
    this.#from += bytes
    return this.#bytes.subarray(this.#from - bytes, this.#from)
  }

  #makeRoom(): void {
    const kept = this.#bytes.subarray(this.#from, this.#to)
    const roomy = kept.length * 2 <= this.#bytes.length ? this.#bytes : new Uint8Array(this.#bytes.length * 2)
    roomy.set(kept)
    this.#bytes = roomy
    this.#to -= this.#from
    this.#from = 0
  }
}

function digitOf(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const lower = byte | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

/** As the URL standard's serializer writes it. */
function escaped(mask: Uint8Array): Uint8Array {
  let text = ''
  for (const byte of mask) {
    const char = String.fromCharCode(byte)
    if (/[A-Za-z0-9*._-]/.test(char)) text += char
    else if (byte === SPACE) text += '+'
    else text += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return Buffer.from(text, 'latin1')
}
