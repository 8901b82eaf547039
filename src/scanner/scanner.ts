import { catalogue } from '../detectors/catalogue.ts'
import { compileDetectors } from './compile_detectors.ts'
import { deltaPaths } from './delta_paths.ts'
import type { Detector } from './detector.ts'
import type { Finding } from './finding.ts'
import { framingOf } from './framing_of.ts'
import { knownSecretDetectors } from './known_secrets.ts'
import { type Allowance, type ReadRule, type Rule, RuleError, readRule } from './rule_detector.ts'
import { ScannerError } from './scanner_error.ts'

export type { Allowance, Detector, Finding, ReadRule, Rule }
export { RuleError, readRule, ScannerError }

/** What a scanner looks for, and how. Fixed for its life. */
export interface ScannerOptions {
  /** In order of priority. Default: the built-in catalogue. */
  readonly detectors?: readonly Detector[]
  /** Detectors of the user's own, before those of the catalogue; `readRule` tells beforehand whether one can be used. */
  readonly rules?: readonly Rule[]
  /** Words and phrases reported as findings of kind `keyword`, case-insensitive, word-bounded. Never masked. */
  readonly keywords?: readonly string[]
  /**
   * Exact secrets to find wherever they stand, also in base64, hexadecimal, percent-encoding and JSON escapes; detector id
   * `known-secret`, before all others. 8 to 512 bytes each, and none that stands in texts by chance.
   */
  readonly knownSecrets?: readonly string[]
  /** Keys the fingerprints; 32 bytes. Default: random, so fingerprints differ between processes. */
  readonly fingerprintKey?: Uint8Array
  /** How masks look, unless a stream says otherwise; default `label`. */
  readonly style?: ScannerStyle
  /** Default `balanced`. */
  readonly mode?: 'balanced' | 'strict'
  /** Whether unprefixed random-looking tokens are found; default true. */
  readonly entropy?: boolean
  /** `false` walks every byte without the SIMD prefilter: the same result, slower. Default: unless SLUICE_NO_SIMD=1 is set. */
  readonly simd?: boolean
  /** The compiled `scanner.wasm`; default: read from the build folder, on Node. */
  readonly wasm?: Uint8Array
}

/**
 * What stands in the place of a secret: `label` `[REDACTED:github-pat]`; `partial` the format's public beginning and the
 * label; `fixed` as many asterisks as the secret has bytes; `pseudonym` `[SECRET:github-pat:3f9a1c]`, whose digits are equal
 * for equal secrets under one `fingerprintKey`.
 */
export type ScannerStyle = 'label' | 'partial' | 'fixed' | 'pseudonym'

/** What one body is, and what to do with what is found in it. */
export interface StreamOptions {
  /** A `Content-Type` value; chooses the framing: JSON, event stream, or raw text. */
  readonly contentType: string
  /** `flag` reports without changing a byte. Default `mask`. */
  readonly action?: 'mask' | 'flag'
  /** Default: the scanner's. */
  readonly style?: ScannerStyle
}

/** One body in one direction. Not to be used after `end()`. */
export interface ScanStream {
  /**
   * Takes the next bytes, any cut.
   * @returns masked bytes that are safe to send: a view, valid until the next call on any stream of this scanner, and only
   * as long as `chunk` is not changed. May be empty.
   * @throws ScannerError `event_too_large` when an event of a stream is over 2 MiB; the stream is then unusable
   */
  push(chunk: Uint8Array): Uint8Array
  /**
   * Ends the body and returns what was held back: a view, as for `push`.
   * @param last the body's last bytes; to give them here instead of to `push` saves keeping the stream's state
   */
  end(last?: Uint8Array): Uint8Array
  /** All findings so far, in order, but those that were taken. */
  readonly findings: readonly Finding[]
  /** Returns the findings and forgets them, so that a body of any length with any number of them needs no more memory. */
  takeFindings(): readonly Finding[]
  /** Top-level `model` string of a JSON body once seen, else empty. Longer than 256 bytes: cut. */
  readonly model: string
  /** How often a top-level `model` key was seen; more than one is ambiguous. */
  readonly modelCount: number
  /** Bytes pushed. */
  readonly bytes: number
}

/** One Wasm instance with compiled detectors. Opens any number of streams; all calls are synchronous. */
export interface Scanner {
  open(options: StreamOptions): ScanStream
}

interface Exports {
  readonly memory: WebAssembly.Memory
  tables(): number
  tablesBytes(): number
  state(): number
  work(): number
  text(): number
  map(): number
  findings(): number
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
  modelAt(): number
  modelBytes(): number
  modelCount(): number
}

/** Longest chunk that the Wasm side takes at once, in bytes. */
const chunk_bytes_max = 65_536
/** What the host calls the engine's framings. */
const mode_of = { raw: 0, json: 1, events: 2 } as const
/** What the host calls the engine's styles; 0 replaces nothing. */
const style_number = { label: 1, partial: 2, fixed: 3, pseudonym: 4 } as const
const finding_bytes = 48
/** Longest mask of fixed length that a finding shows, in bytes. */
const shown_stars_max = 64
/** State of a new stream by mode, in bytes: text and JSON have one channel, event streams 32. */
const fresh_state_bytes = [1024, 1024, 64 + 34 * 1024]
const decoder = new TextDecoder()
const empty = new Uint8Array(0)

let module: Promise<WebAssembly.Module> | undefined

function scalarForced(): boolean {
  return typeof process !== 'undefined' && process.env.SLUICE_NO_SIMD === '1'
}

async function loadModule(): Promise<WebAssembly.Module> {
  const { readFile } = await import('node:fs/promises')
  return WebAssembly.compile(await readFile(new URL('../../build/scanner.wasm', import.meta.url)))
}

/** The Wasm instance with its buffers, and the names behind the numbers it tells. Shared by all streams of a scanner. */
class Engine {
  readonly x: Exports
  readonly memory: Uint8Array
  readonly view: DataView
  readonly ids: readonly string[]
  readonly keywords: readonly string[]
  readonly paths: readonly string[]
  readonly state: number
  readonly work: number
  readonly text: number
  readonly map: number
  readonly findings: number
  readonly style: ScannerStyle

  constructor(instance: WebAssembly.Instance, options: ScannerOptions) {
    this.x = instance.exports as unknown as Exports
    this.memory = new Uint8Array(this.x.memory.buffer)
    this.view = new DataView(this.x.memory.buffer)
    this.style = options.style ?? 'label'
    const compiled = compileDetectors({
      detectors: [
        ...knownSecretDetectors(options.knownSecrets ?? []),
        ...(options.rules ?? []).flatMap((rule) => readRule(rule).detectors),
        ...(options.detectors ?? catalogue),
      ],
      keywords: options.keywords ?? [],
      strict: options.mode === 'strict',
      entropy: options.entropy ?? true,
      paths: deltaPaths,
      simd: options.simd ?? !scalarForced(),
    })
    this.ids = compiled.ids
    this.keywords = compiled.keywords
    this.paths = compiled.paths
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
    this.findings = this.x.findings()
  }

  /** Name of a channel: its path with the positions that the finding carries, innermost last. */
  channelName(key: number): string {
    const node = key & 0xffff
    if (key === 0) return 'body'
    const path = this.paths[node]
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

/** A growable copy of bytes that the engine wants back at the next call. */
class Saved {
  bytes = empty
  length = 0

  keep(memory: Uint8Array, at: number, length: number): void {
    if (length > this.bytes.length)
      this.bytes = new Uint8Array(Math.max(64, 1 << (32 - Math.clz32(length - 1))))
    if (length > 0) this.bytes.set(memory.subarray(at, at + length))
    this.length = length
  }

  restore(memory: Uint8Array, at: number): void {
    if (this.length === this.bytes.length) memory.set(this.bytes, at)
    else if (this.length > 0) memory.set(this.bytes.subarray(0, this.length), at)
  }
}

class Stream implements ScanStream {
  readonly findings: Finding[] = []
  bytes = 0
  model = ''
  modelCount = 0
  readonly #engine: Engine
  readonly #mode: number
  readonly #style: ScannerStyle
  readonly #masking: boolean
  readonly #state = new Saved()
  readonly #carry = new Saved()
  readonly #text = new Saved()
  readonly #breaks = new Saved()
  #failed = false

  constructor(engine: Engine, options: StreamOptions) {
    this.#engine = engine
    this.#mode = mode_of[framingOf(options.contentType)]
    this.#style = options.style ?? engine.style
    this.#masking = options.action !== 'flag'
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
    const { x, memory, state, work, text, map } = this.#engine
    if (this.#state.length === 0) memory.fill(0, state, state + fresh_state_bytes[this.#mode]!)
    else this.#state.restore(memory, state)
    this.#carry.restore(memory, work)
    this.#text.restore(memory, text)
    this.#breaks.restore(memory, map)
    if (chunk.length > 0) memory.set(chunk, work + this.#carry.length)
    const status = x.push(
      this.#mode,
      this.#carry.length,
      chunk.length,
      this.#text.length,
      this.#breaks.length >>> 3,
      this.#masking ? style_number[this.#style] : 0,
      final ? 1 : 0,
    )
    this.#readFindings()
    if (status !== 0) {
      this.#failed = true
      throw new ScannerError(
        'event_too_large',
        'an event of the stream is larger than 2 MiB or has too many parts',
      )
    }
    if (!final) this.#keepState()
    const at = x.outAt()
    return memory.subarray(at, at + x.outBytes())
  }

  #keepState(): void {
    const { x, memory, state, map } = this.#engine
    this.#state.keep(memory, state, x.stateBytes())
    this.#carry.keep(memory, x.keepWorkAt(), x.keepWorkBytes())
    this.#text.keep(memory, x.keepTextAt(), x.keepTextBytes())
    this.#breaks.keep(memory, map, x.keepBreaks() * 8)
  }

  /** The mask that the finding at this address got, or would have got. */
  #maskAt(at: number, id: string): string {
    const { view, memory } = this.#engine
    if (this.#style === 'fixed') {
      const bytes = view.getFloat64(at + 24, true) - view.getFloat64(at + 16, true)
      return '*'.repeat(Math.min(bytes, shown_stars_max))
    }
    if (this.#style !== 'pseudonym' || !this.#masking) return `[REDACTED:${id}]`
    return `[SECRET:${id}:${hex(memory.subarray(at + 40, at + 43))}]`
  }

  #readFindings(): void {
    const { x, view, memory, findings, ids, keywords } = this.#engine
    const count = x.findingCount()
    for (let i = 0; i < count; i++) {
      const at = findings + i * finding_bytes
      const index = view.getUint32(at, true)
      const keyword = view.getUint32(at + 4, true) === 1
      const id = keyword ? 'keyword' : ids[index]!
      this.findings.push({
        detector: id,
        kind: keyword ? 'keyword' : 'secret',
        channel: this.#engine.channelName(view.getUint32(at + 8, true)),
        start: view.getFloat64(at + 16, true),
        end: view.getFloat64(at + 24, true),
        entropy: Math.round(view.getFloat32(at + 12, true) * 100) / 100,
        fingerprint: keyword ? '' : hex(memory.subarray(at + 32, at + 40)),
        masked: keyword ? keywords[index]! : this.#maskAt(at, id),
        action: !keyword && this.#masking ? 'mask' : 'flag',
      })
    }
    if (this.#mode === mode_of.json && x.modelCount() !== this.modelCount) {
      this.modelCount = x.modelCount()
      this.model = decoder.decode(memory.subarray(x.modelAt(), x.modelAt() + x.modelBytes()))
    }
  }
}

function hex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
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

/**
 * Compiles the detectors and instantiates the Wasm scanner. One a thread; any number of streams, which may take turns.
 * @throws ScannerError; RuleError for a rule that cannot be used; PatternError when a detector's pattern is invalid
 */
export async function createScanner(options: ScannerOptions = {}): Promise<Scanner> {
  let compiled: WebAssembly.Module
  if (options.wasm) compiled = await WebAssembly.compile(options.wasm as BufferSource)
  else {
    module ??= loadModule()
    compiled = await module
  }
  const engine = new Engine(await WebAssembly.instantiate(compiled, {}), options)
  return { open: (stream) => new Stream(engine, stream) }
}
