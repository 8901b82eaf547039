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
  /** Of an escape that is not whole: 1 for `%`, 2 for `%4`. */
  #escape_bytes = 0
  #first_digit = 0
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
    for (let at = 0; at < chunk.length; ) {
      const end = this.#escape_bytes === 0 ? plainEnd(chunk, at) : at
      if (end > at) this.#addPlain(chunk.subarray(at, end))
      else this.#take(chunk[at]!)
      at = Math.max(end, at + 1)
    }
  }

  /** Takes a byte that means something here, or that goes on with an escape. */
  #take(byte: number): void {
    if (this.#escape_bytes === 0) {
      if (byte === PERCENT) this.#escape_bytes = 1
      else if (byte === PLUS) this.#add(SPACE, byte)
      else {
        this.#endField()
        this.#out.add(Uint8Array.of(AMPERSAND), true)
      }
      return
    }
    const digit = digitOf(byte)
    if (digit === -1) {
      this.#dropEscape()
      if (byte === PERCENT || byte === PLUS || byte === AMPERSAND) this.#take(byte)
      else this.#add(byte, byte)
    } else if (this.#escape_bytes === 1) {
      this.#escape_bytes = 2
      this.#first_digit = byte
    } else {
      this.#escape_bytes = 0
      this.#written.push(PERCENT)
      this.#written.push(this.#first_digit)
      this.#add(digitOf(this.#first_digit) * 16 + digit, byte, 3)
    }
  }

  /** What began as an escape is none: it stands for itself. */
  #dropEscape(): void {
    const bytes = this.#escape_bytes
    this.#escape_bytes = 0
    if (bytes > 0) this.#add(PERCENT, PERCENT)
    if (bytes > 1) this.#add(this.#first_digit, this.#first_digit)
  }

  /** @param last of the bytes that it is written with, `length` in all */
  #add(byte: number, last: number, length = 1): void {
    if (this.#run_bytes === run_bytes_max) this.#scan(false)
    this.#run[this.#run_bytes++] = byte
    this.#written.push(last)
    this.#lengths.push(length)
    if (this.#head.length < model_bytes_max) this.#head.push(byte)
  }

  /** Bytes that stand for themselves. */
  #addPlain(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#run_bytes === run_bytes_max) this.#scan(false)
      const part = bytes.subarray(at, at + run_bytes_max - this.#run_bytes)
      this.#run.set(part, this.#run_bytes)
      this.#run_bytes += part.length
      this.#written.append(part)
      this.#lengths.fill(part.length)
      for (let i = 0; i < part.length && this.#head.length < model_bytes_max; i++) this.#head.push(part[i]!)
      at += part.length
    }
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
    const lengths = this.#lengths.take(bytes)
    let written = 0
    for (let i = 0; i < bytes; i++) written += lengths[i]!
    return this.#written.take(written)
  }
}

/** Bytes that go in and out in order. */
class ByteQueue {
  #bytes = new Uint8Array(256)
  #from = 0
  #to = 0

  push(byte: number): void {
    if (this.#to === this.#bytes.length) this.#makeRoom(1)
    this.#bytes[this.#to++] = byte
  }

  append(bytes: Uint8Array): void {
    if (this.#to + bytes.length > this.#bytes.length) this.#makeRoom(bytes.length)
    this.#bytes.set(bytes, this.#to)
    this.#to += bytes.length
  }

  /** Appends so many bytes that are 1. */
  fill(count: number): void {
    if (this.#to + count > this.#bytes.length) this.#makeRoom(count)
    this.#bytes.fill(1, this.#to, this.#to + count)
    this.#to += count
  }

  /** A view, valid until the next `push`. */
  take(bytes: number): Uint8Array {
    this.#from += bytes
    return this.#bytes.subarray(this.#from - bytes, this.#from)
  }

  #makeRoom(bytes: number): void {
    const kept = this.#bytes.subarray(this.#from, this.#to)
    const needed = 2 * (kept.length + bytes)
    const roomy = needed <= this.#bytes.length ? this.#bytes : new Uint8Array(needed)
    roomy.set(kept)
    this.#bytes = roomy
    this.#to -= this.#from
    this.#from = 0
  }
}

/** Up to the next byte that means something in a form. */
function plainEnd(chunk: Uint8Array, from: number): number {
  let at = from
  while (at < chunk.length) {
    const byte = chunk[at]!
    if (byte === PERCENT || byte === AMPERSAND || byte === PLUS) break
    at++
  }
  return at
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
