import { catalogue } from '../detectors/catalogue.ts'
import { compileDetectors } from './compile_detectors.ts'
import { deltaPaths } from './delta_paths.ts'
import type { Detector } from './detector.ts'
import { EventCarry } from './event_carry.ts'
import type { Finding } from './finding.ts'
import { FindingReader } from './finding_reader.ts'
import { framingOf } from './framing_of.ts'
import { knownSecretDetectors } from './known_secrets.ts'
import { type Allowance, type ReadRule, type Rule, RuleError, readRule } from './rule_detector.ts'
import { Originals, type TextLevel } from './originals.ts'
import { readReplacements } from './read_replacements.ts'
import { SavedBytes } from './saved_bytes.ts'
import type { KeptBytes, Replacement, Restorer, Scanner, ScanStream, TextStream } from './scan_stream.ts'
import type { ScannerOptions, ScannerStyle, StreamOptions } from './scanner_options.ts'
import { ScannerError } from './scanner_error.ts'
import { pseudonymDetector } from './pseudonym_detector.ts'

export type {
  Allowance,
  Detector,
  Finding,
  ReadRule,
  Replacement,
  Restorer,
  Rule,
  Scanner,
  ScannerOptions,
  ScannerStyle,
  ScanStream,
  StreamOptions,
  TextStream,
}
export { Originals, RuleError, readRule, ScannerError }

interface Exports {
  readonly memory: WebAssembly.Memory
  tables(): number
  tablesBytes(): number
  state(): number
  work(): number
  text(): number
  map(): number
  findings(): number
  editsAt(): number
  editCount(): number
  outFrom(): number
  restorable(): number
  init(key: number): number
  push(
    mode: number,
    carried: number,
    chunk: number,
    keptText: number,
    keptBreaks: number,
    style: number,
    final: number,
  ): number
  outAt(): number
  outBytes(): number
  findingCount(): number
  keepWorkAt(): number
  keepWorkBytes(): number
  keepTextAt(): number
  keepTextBytes(): number
  keepBreaks(): number
  stateBytes(): number
  savedAt(): number
  releasedBytes(): number
  wholeBytes(): number
  finish(final: number): number
  modelAt(): number
  modelBytes(): number
  modelCount(): number
}

/** Longest chunk that the Wasm side takes at once, in bytes. */
const chunk_bytes_max = 65_536
/** What the host calls the engine's framings. */
const mode_of = { raw: 0, json: 1, events: 2, lines: 3 } as const
/** What the host calls the engine's styles; 0 replaces nothing. */
const style_number = { label: 1, partial: 2, fixed: 3, pseudonym: 4, restore: 5 } as const
const edit_bytes = 16
/** What must be zero of a new stream's state, in bytes: text and JSON have one channel, event streams none yet. */
const fresh_state_bytes = [1024, 1024, 64, 64]
/** The engine's word for: events that wait go out. */
const status_wait = 2
const decoder = new TextDecoder()
const empty = new Uint8Array(0)

let module: Promise<WebAssembly.Module> | undefined

function scalarForced(): boolean {
  return typeof process !== 'undefined' && process.env.SLUICE_NO_SIMD === '1'
}

async function loadModule(): Promise<WebAssembly.Module> {
  const url = new URL('../../build/scanner.wasm', import.meta.url)
  // In a browser the bundler puts the file beside the script, or the server does.
  if (url.protocol !== 'file:') return WebAssembly.compile(await (await fetch(url)).arrayBuffer())
  const { readFile } = await import('node:fs/promises')
  return WebAssembly.compile(await readFile(url))
}

/** The Wasm instance with its buffers, and the names behind the numbers it tells. Shared by all streams of a scanner. */
class Engine {
  readonly x: Exports
  readonly memory: Uint8Array
  readonly view: DataView
  readonly found: FindingReader
  readonly state: number
  readonly work: number
  readonly text: number
  readonly map: number
  readonly style: keyof typeof style_number
  #restorable: readonly number[] = []

  constructor(instance: WebAssembly.Instance, options: ScannerOptions, restores = false) {
    this.x = instance.exports as unknown as Exports
    this.memory = new Uint8Array(this.x.memory.buffer)
    this.view = new DataView(this.x.memory.buffer)
    this.style = restores ? 'restore' : (options.style ?? 'label')
    const compiled = compileDetectors({
      detectors: [
        ...knownSecretDetectors(options.knownSecrets ?? []),
        ...(options.rules ?? []).flatMap((rule) => readRule(rule).detectors),
        ...(options.detectors ?? catalogue),
      ],
      keywords: options.keywords ?? [],
      strict: options.mode === 'strict',
      entropy: options.entropy ?? true,
      decode: options.decode ?? true,
      paths: deltaPaths,
      simd: options.simd ?? !scalarForced(),
    })
    if (compiled.tables.length > this.x.tablesBytes()) {
      throw new ScannerError(
        'too_many_detectors',
        'the detectors compile to more than 6 MiB of tables; use fewer',
      )
    }
    const key = options.fingerprintKey ?? crypto.getRandomValues(new Uint8Array(32))
    if (key.length !== 32) throw new ScannerError('invalid_key', 'fingerprintKey must have 32 bytes')
    this.memory.set(compiled.tables, this.x.tables())
    this.work = this.x.work()
    this.memory.set(key, this.work)
    this.x.init(this.work)
    this.memory.fill(0, this.work, this.work + 32)
    this.state = this.x.state()
    this.text = this.x.text()
    this.map = this.x.map()
    this.found = new FindingReader(this.memory, this.x.findings(), compiled)
  }

  /** Says which pseudonyms can be put back. */
  setRestorable(digests: readonly number[]): void {
    if (digests === this.#restorable) return
    this.#restorable = digests
    const at = this.x.restorable()
    this.view.setUint32(at, digests.length, true)
    for (let i = 0; i < digests.length; i++) this.view.setUint32(at + 4 + 4 * i, digests[i]!, true)
  }
}

class Stream implements TextStream {
  readonly findings: Finding[] = []
  bytes = 0
  model = ''
  modelCount = 0
  readonly #engine: Engine
  readonly #mode: number
  readonly #style: keyof typeof style_number
  readonly #masking: boolean
  readonly #originals: Originals | null
  readonly #state = new SavedBytes()
  readonly #carry = new SavedBytes()
  readonly #events: EventCarry | null
  /** Where the engine's offset 0 of the input stands. */
  #input = 0
  readonly #text = new SavedBytes()
  readonly #breaks = new SavedBytes()
  #failed = false

  constructor(engine: Engine, options: StreamOptions) {
    this.#engine = engine
    this.#mode = mode_of[framingOf(options.contentType, options.deltas ?? true)]
    this.#style = options.style ?? engine.style
    this.#masking = options.action !== 'flag'
    this.#originals = options.originals ?? null
    this.#events = this.#mode >= mode_of.events ? new EventCarry(this.#mode === mode_of.lines) : null
  }

  push(chunk: Uint8Array): Uint8Array {
    this.bytes += chunk.length
    if (chunk.length <= chunk_bytes_max) return this.#step(chunk, false)
    const parts: Uint8Array[] = []
    for (let at = 0; at < chunk.length; at += chunk_bytes_max) {
      parts.push(this.#step(chunk.subarray(at, at + chunk_bytes_max), false).slice())
    }
    return concat(parts)
  }

  end(last: Uint8Array = empty): Uint8Array {
    this.bytes += last.length
    if (last.length <= chunk_bytes_max) return this.#step(last, true)
    this.bytes -= last.length
    return concat([this.push(last).slice(), this.#step(empty, true)])
  }

  takeFindings(): readonly Finding[] {
    return this.findings.splice(0)
  }

  #step(chunk: Uint8Array, final: boolean): Uint8Array {
    if (this.#failed) throw new ScannerError('stream_failed', 'the stream failed before; open a new one')
    if (!final && this.#events?.defer(chunk, this.#state.length)) return empty
    const { x, memory, state } = this.#engine
    if (this.#style === 'restore') this.#engine.setRestorable(this.#originals!.digests)
    if (this.#state.length === 0) memory.fill(0, state, state + fresh_state_bytes[this.#mode]!)
    else this.#state.restore(memory, state)
    const status = this.#events ? this.#pushEvents(this.#events, chunk, final) : this.#pushBody(chunk, final)
    this.#readFindings()
    if (status !== 0) {
      this.#failed = true
      throw new ScannerError(
        'event_too_large',
        'an event of the stream is larger than 2 MiB or has too many parts, or more than 4 MiB of events wait for a text to be decided',
      )
    }
    if (!final) this.#keepState()
    const at = x.outAt()
    const out = memory.subarray(at, at + x.outBytes())
    if (this.#originals === null) return out
    if (this.#style === 'restore') return this.#putBack(out)
    this.#takeOut()
    if (final) this.#originals.close()
    return out
  }

  #call(carried: number, chunk: number, final: boolean): number {
    return this.#engine.x.push(
      this.#mode,
      carried,
      chunk,
      this.#text.length,
      this.#breaks.length >>> 3,
      this.#masking ? style_number[this.#style] : 0,
      final ? 1 : 0,
    )
  }

  #pushBody(chunk: Uint8Array, final: boolean): number {
    const { memory, work, text, map } = this.#engine
    this.#carry.restore(memory, work)
    this.#text.restore(memory, text)
    this.#breaks.restore(memory, map)
    if (chunk.length > 0) memory.set(chunk, work + this.#carry.length)
    this.#input = work
    return this.#call(this.#carry.length, chunk.length, final)
  }

  #pushEvents({ waiting, unread }: EventCarry, chunk: Uint8Array, final: boolean): number {
    const { x, memory, work } = this.#engine
    const carried = unread.length
    if (carried > 0) memory.set(unread.view, work)
    if (chunk.length > 0) memory.set(chunk, work + carried)
    let status = this.#call(carried, chunk.length, final)
    this.#input = work - waiting.length
    const released = x.releasedBytes()
    if (status === status_wait) {
      memory.set(waiting.view.subarray(0, released), this.#input)
      status = x.finish(final ? 1 : 0)
    }
    if (final || status !== 0) return status
    const whole = x.wholeBytes()
    const inside = Math.max(0, released - waiting.length)
    if (whole === 0) unread.append(chunk)
    else {
      unread.drop(carried)
      unread.append(memory.subarray(work + whole, work + carried + chunk.length))
    }
    if (released > 0) waiting.drop(released - inside)
    if (whole > inside) waiting.append(memory.subarray(work + inside, work + whole))
    return status
  }

  /** Takes note of what the last call replaced. */
  #takeOut(): void {
    const { x, view, memory } = this.#engine
    const input = this.#input
    const edits = x.editsAt()
    for (let at = edits; at < edits + x.editCount() * edit_bytes; at += edit_bytes) {
      const detail = view.getUint32(at + 12, true)
      this.#originals!.take({
        bytes: memory.subarray(input + view.getUint32(at, true), input + view.getUint32(at + 4, true)),
        level: (detail >>> 24) as TextLevel,
        digest: detail & 0xffffff,
        first: view.getUint32(at + 8, true) !== 0,
      })
    }
  }

  /** @param out the input that goes out, as it came in */
  #putBack(out: Uint8Array): Uint8Array {
    const { x, view, memory } = this.#engine
    const input = this.#input
    const edits = x.editsAt()
    const count = x.editCount()
    if (count === 0) return out
    const end = out.byteOffset + out.length
    const parts: Uint8Array[] = []
    let from = out.byteOffset
    for (let at = edits; at < edits + count * edit_bytes; at += edit_bytes) {
      const start = input + view.getUint32(at, true)
      if (start >= end) break
      if (start > from) parts.push(memory.subarray(from, start))
      from = Math.max(from, input + view.getUint32(at + 4, true))
      if (view.getUint32(at + 8, true) === 0) continue
      const detail = view.getUint32(at + 12, true)
      const level = (detail >>> 24) as TextLevel
      parts.push(this.#originals!.at(detail & 0xffffff, level, this.#mode === mode_of.events))
    }
    if (end > from) parts.push(memory.subarray(from, end))
    return concat(parts)
  }

  get replaced(): readonly Replacement[] {
    const { x, view } = this.#engine
    return readReplacements(view, x.editsAt(), x.editCount(), x.outFrom())
  }

  get kept(): KeptBytes {
    const events = this.#events ? this.#events.waiting.length + this.#events.unread.length : 0
    return {
      state: this.#state.length + this.#breaks.length,
      body: this.#carry.length + this.#text.length + events,
    }
  }

  #keepState(): void {
    const { x, memory, state, map } = this.#engine
    const state_bytes = x.stateBytes()
    if (this.#events) {
      if (state_bytes > 0) this.#state.keep(memory, x.savedAt(), state_bytes)
      return
    }
    this.#state.keep(memory, state, state_bytes)
    this.#carry.keep(memory, x.keepWorkAt(), x.keepWorkBytes())
    this.#text.keep(memory, x.keepTextAt(), x.keepTextBytes())
    this.#breaks.keep(memory, map, x.keepBreaks() * 8)
  }

  #readFindings(): void {
    const { x, memory, found } = this.#engine
    const count = x.findingCount()
    if (count > 0) found.read(count, this.#style, this.#masking, this.findings)
    if (this.#mode === mode_of.json && x.modelCount() !== this.modelCount) {
      this.modelCount = x.modelCount()
      this.model = decoder.decode(memory.subarray(x.modelAt(), x.modelAt() + x.modelBytes()))
    }
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

async function instantiate(wasm: Uint8Array | undefined): Promise<WebAssembly.Instance> {
  module ??= wasm ? undefined : loadModule()
  const compiled = wasm ? await WebAssembly.compile(wasm as BufferSource) : await module!
  return await WebAssembly.instantiate(compiled, {})
}

/**
 * Compiles the detectors and instantiates the Wasm scanner. One a thread; any number of streams, which may take turns.
 * @throws ScannerError; RuleError for a rule that cannot be used; PatternError when a detector's pattern is invalid
 */
export async function createScanner(options: ScannerOptions = {}): Promise<Scanner> {
  const engine = new Engine(await instantiate(options.wasm), options)
  return { open: (stream) => new Stream(engine, stream) }
}

/** @param wasm as for `createScanner` */
export async function createRestorer(wasm?: Uint8Array): Promise<Restorer> {
  const engine = new Engine(
    await instantiate(wasm),
    { detectors: [pseudonymDetector], entropy: false, decode: false },
    true,
  )
  return { open: (stream) => new Stream(engine, stream) }
}
