import type { Finding, ScanStream, StreamOptions } from '../scanner/scanner.ts'
import type { Originals, Scanners, ScannerStyle } from './scanners.ts'

export interface MessageScannerOptions {
  readonly scanners: Scanners
  readonly style: ScannerStyle
  /** Whether messages carry pieces of texts that go on in later ones. */
  readonly deltas: boolean
  /** What requests take out and responses put back in; null when secrets stay replaced. */
  readonly originals: Originals | null
  readonly restores: boolean
}

/** A message that may go out. */
export interface ScannedMessage {
  /** As recorded. */
  readonly masked: Buffer
  /** As sent: with the caller's own secrets put back where the connection does that. */
  readonly sent: Buffer
}

/** One text that goes on over messages. */
interface OpenText {
  readonly item: string
  readonly mask: ScanStream
  readonly restore: ScanStream | null
}

interface Described {
  readonly type: string
  /** Names the text that a delta goes on with; empty for any other message. */
  readonly text: string
  readonly item: string
}

/** Texts that go on at the same time; more than a model speaks. */
const open_texts_max = 16
/** A longer message is never a delta of text. */
const delta_bytes_max = 262_144
const LINE_BREAKS = /[\r\n]/g
const OTHER: Described = { type: '', text: '', item: '' }

/**
 * Masks the text messages of one direction of a WebSocket. Each is scanned by itself as JSON; deltas, as OpenAI's Realtime
 * API sends them (`response.output_text.delta` and its kin), are joined over messages. A delta may be held until it shows
 * whether it begins a secret, at most until its text is done; no other message waits for it.
 */
export class MessageScanner {
  /** Of the last message or of `end`. */
  findings: readonly Finding[] = []
  /** Of the last message: audio. */
  unscanned_bytes = 0
  readonly #options: MessageScannerOptions
  readonly #texts = new Map<string, OpenText>()
  #found: Finding[] = []

  constructor(options: MessageScannerOptions) {
    this.#options = options
  }

  /** @returns what may be sent now, in order */
  push(message: Buffer): ScannedMessage[] {
    this.#found = []
    const out: ScannedMessage[] = []
    const described = describe(message)
    this.unscanned_bytes = 0
    if (this.#options.deltas && described.text !== '') this.#pushDelta(message, described, out)
    else {
      if (endsTexts(described.type)) this.#endTexts(described.item, out)
      out.push(this.#whole(message, described.type))
    }
    this.findings = this.#found
    return out
  }

  /** @returns what was held, to be sent before the connection closes */
  end(): ScannedMessage[] {
    this.#found = []
    const out: ScannedMessage[] = []
    this.#endTexts('', out)
    this.findings = this.#found
    return out
  }

  #pushDelta(message: Buffer, { type, text, item }: Described, out: ScannedMessage[]): void {
    let open = this.#texts.get(text)
    if (open === undefined) {
      const [oldest] = this.#texts
      if (this.#texts.size === open_texts_max && oldest !== undefined) this.#endText(oldest[0], out)
      open = { item, ...this.#open({ contentType: 'application/x-ndjson', deltas: true }) }
      this.#texts.set(text, open)
    }
    // a line break between the tokens of JSON would end the line
    const line = Buffer.from(`${message.toString('utf8').replace(LINE_BREAKS, ' ')}\n`)
    addLines(
      out,
      Buffer.from(open.mask.push(line)),
      open.restore === null ? null : (view) => open.restore!.push(view),
    )
    this.#note(open.mask, type)
  }

  /** @param item only its texts; empty: all */
  #endTexts(item: string, out: ScannedMessage[]): void {
    for (const [text, open] of this.#texts) if (item === '' || open.item === item) this.#endText(text, out)
  }

  #endText(text: string, out: ScannedMessage[]): void {
    const { mask, restore } = this.#texts.get(text)!
    this.#texts.delete(text)
    addLines(out, Buffer.from(mask.end()), restore === null ? null : (view) => restore.end(view))
    this.#note(mask, text.slice(0, text.indexOf(' ')))
  }

  #whole(message: Buffer, type: string): ScannedMessage {
    const audio = isAudio(type) ? findAudio(message) : null
    const text =
      audio === null ? message : Buffer.concat([message.subarray(0, audio.at), message.subarray(audio.end)])
    const contentType = text[0] === 123 || text[0] === 91 ? 'application/json' : 'text/plain'
    const { mask, restore } = this.#open({ contentType, deltas: false })
    const masked = Buffer.from(mask.end(text))
    this.#note(mask, type || 'message')
    const sent = restore === null ? masked : Buffer.from(restore.end(masked))
    if (audio === null) return { masked, sent }
    this.unscanned_bytes = audio.end - audio.at
    const place = findAudio(sent)?.at ?? 0
    return {
      masked,
      sent: Buffer.concat([
        sent.subarray(0, place),
        message.subarray(audio.at, audio.end),
        sent.subarray(place),
      ]),
    }
  }

  #open(options: Omit<StreamOptions, 'style'>): Omit<OpenText, 'item'> {
    const { scanners, style, originals, restores } = this.#options
    const taken = originals !== null && !restores ? { originals } : {}
    const mask = scanners.body.open({ ...options, style, ...taken })
    const { contentType } = options
    const restore = originals !== null && restores ? scanners.restorer.open({ contentType, originals }) : null
    return { mask, restore }
  }

  #note(stream: ScanStream, channel: string): void {
    for (const finding of stream.takeFindings()) this.#found.push({ ...finding, channel })
  }
}

function addLines(
  out: ScannedMessage[],
  masked: Buffer,
  restore: ((view: Buffer) => Uint8Array) | null,
): void {
  const lines = linesOf(masked)
  const sent = restore === null ? lines : linesOf(Buffer.from(restore(masked)))
  // a restorer holds lines back as well: what it lets go may be more or fewer than what was masked now
  for (let i = 0; i < Math.max(lines.length, sent.length); i++)
    out.push({ masked: lines[i] ?? NOTHING, sent: sent[i] ?? NOTHING })
}

const NOTHING = Buffer.alloc(0)

function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = []
  for (let from = 0; from < bytes.length; ) {
    const feed = bytes.indexOf(10, from)
    const end = feed === -1 ? bytes.length : feed
    if (end > from) lines.push(bytes.subarray(from, end))
    from = end + 1
  }
  return lines
}

function describe(message: Buffer): Described {
  if (message.length > delta_bytes_max) {
    const ends = message.subarray(0, 1024).toString('latin1') + message.subarray(-1024).toString('latin1')
    return { ...OTHER, type: /"type"\s*:\s*"([\w.]+)"/.exec(ends)?.[1] ?? '' }
  }
  try {
    const event = JSON.parse(message.toString('utf8')) as Record<string, unknown> | null
    const type = typeof event?.type === 'string' ? event.type : ''
    const item = typeof event?.item_id === 'string' ? event.item_id : ''
    const is_text = type.endsWith('.delta') && typeof event?.delta === 'string' && !isAudio(type)
    const position = `${event?.output_index} ${event?.content_index}`
    return { type, item, text: is_text ? `${type} ${item} ${position}` : '' }
  } catch {
    return OTHER
  }
}

const AUDIO = /"(?:audio|delta)"\s*:\s*"([A-Za-z0-9+/=]*)"/

/** Where the base64 of a message's audio stands. It is random to look at, so nothing in it can be told from a secret. */
function findAudio(message: Buffer): { at: number; end: number } | null {
  const found = AUDIO.exec(message.toString('latin1'))
  if (found === null) return null
  const end = found.index + found[0].length - 1
  return { at: end - found[1]!.length, end }
}

/** `response.output_audio.delta`, `response.audio.delta`, `input_audio_buffer.append`; transcripts of audio are text. */
function isAudio(type: string): boolean {
  return /audio(?:\.delta|_buffer\.append)$/.test(type)
}

function endsTexts(type: string): boolean {
  return /\.(?:done|completed|failed|cancelled|incomplete|interrupted)$/.test(type) || type === 'error'
}
