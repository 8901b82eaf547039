import { EventQueue } from './event_queue.ts'

/** Neither a chunk shorter than this nor one behind an unfinished event longer than that is shown to the engine until it ends. */
const short_chunk_bytes = 64
const shown_again_bytes_max = 4096
/** Unfinished bytes that the engine takes at most, before a chunk. */
const unfinished_bytes_max = 2 * 1024 * 1024
/** A state shorter than this is brought to the engine for any byte; a longer one for each 64th of its length. */
const light_state_bytes = 16_384
const state_share = 64

const line_feed = 10
const carriage_return = 13

/** What the host keeps of an event stream, so that bytes which decide nothing cost the engine nothing. */
export class EventCarry {
  /** Whole events that wait for what comes behind them. */
  readonly waiting = new EventQueue()
  /** What the engine has not read: an event that is not whole, as a rule. */
  readonly unread = new EventQueue()

  readonly #lines: boolean

  /** @param lines whether each line is an event */
  constructor(lines: boolean) {
    this.#lines = lines
  }

  /**
   * Takes a chunk that the engine need not see yet.
   * @param state_bytes what the engine's state of the stream comes to
   * @returns false when the engine must take it
   */
  defer(chunk: Uint8Array, state_bytes: number): boolean {
    const { unread } = this
    const bytes = unread.length + chunk.length
    if (bytes > unfinished_bytes_max) return false
    const looks = chunk.length < short_chunk_bytes || unread.length > shown_again_bytes_max
    const long = looks && !this.#endsEvent(chunk)
    const heavy = state_bytes > light_state_bytes && bytes * state_share < state_bytes
    if (!long && !heavy) return false
    unread.append(chunk)
    return true
  }

  /** Whether a line ends in the chunk, with nothing in it where events are more than lines. */
  #endsEvent(chunk: Uint8Array): boolean {
    if (this.#lines) return chunk.includes(line_feed)
    // at its beginning a stream may have an empty line as well
    let before = this.unread.last ?? line_feed
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!
      const ends = byte === line_feed || byte === carriage_return
      if (ends && (before === carriage_return ? byte !== line_feed : before === line_feed)) return true
      before = byte
    }
    return false
  }
}
