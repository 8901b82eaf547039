import { type Finding, ScannerError, type ScanStream } from '../scanner/scanner.ts'
import { type BodyKind, bodyKind, looksBinary, looksWide } from './body_kind.ts'
import { type BodyStream, OutputParts } from './body_stream.ts'
import { findDelimiter } from './delimiter.ts'
import { type PartHead, readPartHead } from './part_head.ts'

/** Headers of one part, in bytes. */
const part_head_bytes_max = 16_384
const model_bytes_max = 256
/** By so many of its first bytes a part is known to be binary, or in UTF-16. */
const binary_sample_bytes = 1024
const wide_sample_bytes = 4
const NOTHING = new Uint8Array(0)

/** What a multipart body needs of the outside. */
export interface PartReaders {
  /** For what stands in a part. */
  open(content_type: string): ScanStream | BodyStream
  /** For the headers of a part. */
  openHead(): ScanStream
  /** Called when a part cannot be scanned; throws where such bodies are blocked. */
  onUnscannable(reason: string): void
}

/**
 * `multipart/form-data` and its kin (RFC 7578, RFC 2046): each part is scanned as what its own headers say, its headers
 * too; binary parts pass and are counted. Boundaries and all that is not masked stay byte for byte.
 */
export class MultipartStream implements BodyStream {
  readonly findings: Finding[] = []
  bytes = 0
  model = ''
  modelCount = 0
  unscanned_bytes = 0
  unscanned_reason = ''
  recordable: Uint8Array = NOTHING
  readonly #boundary: Buffer
  readonly #readers: PartReaders
  readonly #out = new OutputParts()
  readonly #recordable = new OutputParts()
  /** What could still become a delimiter or belongs to unfinished headers. */
  #rest: Buffer = Buffer.alloc(0)
  #state: 'content' | 'head' | 'epilogue' = 'content'
  #line_begins = true
  #part = 0
  #head: PartHead = { content_type: 'text/plain', name: '', transfer_encoding: '' }
  #stream: ScanStream | BodyStream | null = null
  /** How the part is looked at; null before its first byte. */
  #kind: BodyKind | null = null
  /** Its first bytes, as long as more are needed to know that. */
  #first: Buffer | null = null
  #part_bytes = 0
  #nested_bytes = 0
  /** The part passes unseen. */
  #passes = ''
  #model: Uint8Array[] | null = null

  constructor(boundary: string, readers: PartReaders) {
    this.#boundary = Buffer.from(`--${boundary}`, 'latin1')
    this.#readers = readers
  }

  push(chunk: Uint8Array): Uint8Array {
    return this.#take(chunk, false)
  }

  end(last: Uint8Array = NOTHING): Uint8Array {
    return this.#take(last, true)
  }

  takeFindings(): readonly Finding[] {
    return this.findings.splice(0)
  }

  #take(chunk: Uint8Array, final: boolean): Uint8Array {
    this.bytes += chunk.length
    const data = this.#rest.length === 0 ? view(chunk) : Buffer.concat([this.#rest, chunk])
    let at = 0
    for (let before = -1; at !== before; ) {
      before = at
      at = this.#state === 'head' ? this.#takeHead(data, at, final) : this.#takeContent(data, at, final)
    }
    this.#rest = Buffer.from(data.subarray(at))
    if (final) this.#endPart()
    this.recordable = this.#recordable.take()
    return this.#out.take()
  }

  /** @returns the offset up to which it is done; the same when more bytes are needed */
  #takeContent(data: Buffer, from: number, final: boolean): number {
    if (this.#state === 'epilogue') {
      this.#content(data.subarray(from))
      return data.length
    }
    const found = findDelimiter(data, from, this.#boundary, this.#line_begins, final)
    this.#content(data.subarray(from, found.at))
    if (found.kind === 'none') return found.at
    this.#endPart()
    this.#emit(data.subarray(found.at, found.end), true)
    this.#state = found.kind === 'close' ? 'epilogue' : 'head'
    this.#part++
    this.#head = { content_type: 'text/plain', name: '', transfer_encoding: '' }
    return found.end
  }

  #takeHead(data: Buffer, from: number, final: boolean): number {
    const end = headEnd(data, from)
    if (end === -1 && !final) {
      if (data.length - from > part_head_bytes_max) {
        throw new ScannerError('event_too_large', 'the headers of a part are longer than 16 KiB')
      }
      return from
    }
    const head = data.subarray(from, end === -1 ? data.length : end)
    const stream = this.#readers.openHead()
    this.#emit(stream.end(head), true)
    this.#note(stream.takeFindings(), 'header')
    this.#head = readPartHead(head.toString('latin1'))
    this.#model = this.#head.name === 'model' ? [] : null
    this.#state = 'content'
    this.#line_begins = true
    return from + head.length
  }

  #content(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#line_begins = false
    if (this.#stream !== null || this.#passes !== '') {
      this.#pass(bytes)
      return
    }
    this.#kind ??= bodyKind(this.#head.content_type, '')
    this.#first = this.#first === null ? Buffer.from(bytes) : Buffer.concat([this.#first, bytes])
    const enough = this.#kind.kind === 'binary' ? binary_sample_bytes : wide_sample_bytes
    if (this.#first.length >= enough) this.#decide()
  }

  /** Now it shows how the part is looked at. */
  #decide(): void {
    const first = this.#first!
    const kind = this.#kind!
    this.#first = null
    if (this.#head.transfer_encoding !== '') this.#unscannable('content-transfer-encoding of a part')
    else if (kind.kind === 'unscannable') this.#unscannable(kind.reason)
    else if (kind.kind === 'binary' && looksBinary(first)) this.#passes = kind.reason
    else if (looksWide(first, 0)) this.#unscannable('UTF-16 or UTF-32')
    if (this.#passes === '') {
      const { content_type } = this.#head
      this.#stream = this.#readers.open(kind.kind === 'binary' ? 'text/plain' : content_type)
    }
    this.#pass(first)
  }

  #pass(bytes: Buffer): void {
    const room = model_bytes_max - this.#part_bytes
    if (room > 0) this.#model?.push(Buffer.from(bytes.subarray(0, room)))
    this.#part_bytes += bytes.length
    if (this.#stream !== null) {
      this.#emitScanned(this.#stream.push(bytes))
      return
    }
    this.unscanned_bytes += bytes.length
    this.unscanned_reason = this.#passes
    this.#emit(bytes, false)
  }

  #unscannable(reason: string): void {
    this.#readers.onUnscannable(reason)
    this.#passes = reason
  }

  #endPart(): void {
    if (this.#first !== null) this.#decide()
    if (this.#stream !== null) this.#emitScanned(this.#stream.end())
    if (this.#model !== null) {
      this.modelCount++
      this.model = Buffer.concat(this.#model).toString('utf8')
    }
    this.#stream = null
    this.#model = null
    this.#kind = null
    this.#part_bytes = 0
    this.#nested_bytes = 0
    this.#passes = ''
  }

  #emitScanned(view: Uint8Array): void {
    const stream = this.#stream!
    this.#out.add(view)
    const is_body = 'recordable' in stream
    this.#recordable.add(is_body ? stream.recordable : view)
    this.#note(stream.takeFindings(), '')
    if (!is_body || stream.unscanned_bytes === 0) return
    // a nested body tells its total again each time
    this.unscanned_bytes += stream.unscanned_bytes - this.#nested_bytes
    this.#nested_bytes = stream.unscanned_bytes
    this.unscanned_reason = stream.unscanned_reason
  }

  #emit(view: Uint8Array, recorded: boolean): void {
    this.#out.add(view)
    if (recorded) this.#recordable.add(view)
  }

  #note(findings: readonly Finding[], place: string): void {
    for (const finding of findings) {
      const inside = place === '' && finding.channel !== 'body' ? `.${finding.channel}` : ''
      const channel = `part.${this.#part}${place === '' ? inside : `.${place}`}`
      this.findings.push({ ...finding, channel })
    }
  }
}

function view(chunk: Uint8Array): Buffer {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
}

/** Behind the empty line that ends headers; -1 when it is not here. */
function headEnd(data: Buffer, from: number): number {
  for (let line = from; line !== -1; ) {
    if (data[line] === 10) return line + 1
    if (data[line] === 13 && data[line + 1] === 10) return line + 2
    const feed = data.indexOf(10, line)
    line = feed === -1 ? -1 : feed + 1
  }
  return -1
}
