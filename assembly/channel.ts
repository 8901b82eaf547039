// What a stream remembers of one channel between calls.
import { SHA_BYTES } from './sha256'

export const SWALLOW_NONE: u32 = 0

export const SWALLOW_TOKEN: u32 = 1
export const SWALLOW_BLOCK: u32 = 2

/** One channel's state between calls. Offsets count from the first byte of the retained text unless they say otherwise. */
@unmanaged
export class Channel {
  /** Offset of the retained text's first byte in the whole channel. */
  base: u64
  /** Where the finding that is being swallowed began, in the whole channel. */
  open_start: u64
  /** Which channel of the stream. */
  key: u32
  /** Retained bytes, which the host or the framing keeps. */
  kept: u32
  /** Where unreleased text begins. */
  emitted: u32
  /** Where the next pass begins to read; at or before `emitted` when an assignment is open. */
  resume: u32
  /** Where the run that the text ends in begins. */
  run: u32
  /** 1 while inside a run already judged. */
  run_judged: u32
  /** Key words of triggers that end at or before here were reported. */
  seen: u32
  /** Bytes of the next text that belong to a range already replaced. */
  skip: u32
  swallow: u32
  swallow_detector: u32
  swallow_state: u32
  open_entropy: f32
  sha: u8 // SHA_BYTES follow, see shaOf; the hash leaves the last eight to openDetector and skipCuts; then density.ts's, and openPseudonym
}

/** Starts that density.ts remembers. */
export const DENSE_STARTS: u32 = 8
/** Where the channel holds them: u32 count │ u32 see pendingOf │ entries of 8 bytes. */
export const DENSE_AT: usize = 64 + SHA_BYTES
export const CHANNEL_BYTES: usize = DENSE_AT + 8 + <usize>DENSE_STARTS * 8 + 8

/** Where the channel holds the pseudonym of the range whose finding waits for its end. */
// @ts-ignore: decorator
@inline
export function openPseudonym(ch: Channel): usize {
  return changetype<usize>(ch) + CHANNEL_BYTES - 8
}

/** Where the channel holds the detector that the range being swallowed is named for. */
// @ts-ignore: decorator
@inline
export function openDetector(ch: Channel): usize {
  return changetype<usize>(ch) + DENSE_AT - 8
}

/** Where the channel holds whether the bytes to skip end what was swallowed. */
// @ts-ignore: decorator
@inline
export function skipCuts(ch: Channel): usize {
  return changetype<usize>(ch) + DENSE_AT - 4
}

/**
 * Where the channel holds whether a range was begun to be replaced whose end was not known: what goes on from it is deleted,
 * and its finding is told when it ends. Its fingerprint stands at shaOf meanwhile.
 */
// @ts-ignore: decorator
@inline
export function pendingOf(ch: Channel): usize {
  return changetype<usize>(ch) + DENSE_AT + 4
}

// @ts-ignore: decorator
@inline
export function shaOf(ch: Channel): usize {
  return changetype<usize>(ch) + 64
}

/** So many bytes before where reading begins are looked back at: boundaries, masks. */
const BEHIND: u32 = 64

/** From where the text must be kept for the next pass. */
export function keepFrom(ch: Channel): u32 {
  const least = min(min(ch.resume, ch.run), ch.emitted)
  return least > BEHIND ? least - BEHIND : 0
}
