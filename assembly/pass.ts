// The figures of one pass, see text.ts.

/** What one pass over a text computes. Lies at a fixed place, so that every file of the engine reads and writes the same. */
@unmanaged
class Pass {
  /** Where the text must be held back from. */
  limit: u32
  /** Where the next pass must begin to read. */
  again: u32
  /** Where the run that the text ends in begins; whether it was judged already. */
  run_again: u32
  run_judged: u32
  /** Where the last text that was swallowed ends; a run begins behind it at the earliest. All of them: see cutBefore. */
  cut: u32
  cut_count: u32
  /** What goes on behind the text's end, if anything: SWALLOW_*, its detector, the state of its DFA or end-line search. */
  swallow: u32
  swallow_detector: u32
  swallow_state: u32
  /** Where that begins, and where reading must begin to find it again; u32.MAX_VALUE when it began before this pass. */
  open_from: u32
  open_origin: u32
  /** Where the walk goes on behind what a hit swallowed, 0 when it swallowed nothing; and where that began. */
  jump: u32
  jump_from: u32
  /** What the DFA run last left: its state, 0 when it died, and where it accepted last. */
  dfa_state: u32
  dfa_accept: u32
  /** Entries in the lists of clusters, triggers and judged runs. */
  cluster_count: u32
  keyword_count: u32
  run_count: u32
  /** Starts in the ring of density.ts. */
  long_count: u32
  /** The last long run that never matched: its detector, the text it went over, and the state it ended in. */
  memo_detector: u32
  memo_from: u32
  memo_to: u32
  memo_state: u32
  /** Bytes of TEXT in use. */
  text_end: u32
  /** 1 while decoded text is walked over, see decoded.ts. */
  inner: u32
}

const CUTS_MAX: u32 = 64
const CUTS_AT: usize = 128
/** With the list of cuts. */
export const PASS_BYTES: usize = CUTS_AT + 64 * 4
const PASS: usize = memory.data(128 + 64 * 4, 16)
const CUTS: usize = PASS + CUTS_AT
export const pass: Pass = changetype<Pass>(PASS)

/** Something at `hold` may still become a secret; read again from `origin` when there is more text. */
// @ts-ignore: decorator
@inline
export function unresolved(origin: u32, hold: u32): void {
  pass.again = min(pass.again, origin)
  pass.limit = min(pass.limit, hold)
}

/** What was swallowed ends at `at`. */
export function cutAt(at: u32): void {
  pass.cut = at
  pass.run_again = at
  pass.run_judged = 0
  store<u32>(CUTS + (<usize>(pass.cut_count & (CUTS_MAX - 1)) << 2), at)
  pass.cut_count++
}

/** The last cut of this pass at or before `at`, 0 when there is none among the last ones. */
export function cutBefore(at: u32): u32 {
  let last: u32 = 0
  const count = min(pass.cut_count, CUTS_MAX)
  for (let i: u32 = 0; i < count; i++) {
    const cut = load<u32>(CUTS + (<usize>i << 2))
    if (cut <= at) last = max(last, cut)
  }
  return last
}
