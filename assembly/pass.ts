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
  /** Where the last text that was swallowed ends; a run begins behind it at the earliest. */
  cut: u32
  /** What goes on behind the text's end, if anything: SWALLOW_*, its detector, the state of its DFA or end-line search. */
  swallow: u32
  swallow_detector: u32
  swallow_state: u32
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
  /** Bytes of TEXT in use. */
  text_end: u32
}

const PASS: usize = memory.data(64, 16)
export const pass: Pass = changetype<Pass>(PASS)

/** Something at `hold` may still become a secret; read again from `origin` when there is more text. */
// @ts-ignore: decorator
@inline
export function unresolved(origin: u32, hold: u32): void {
  pass.again = min(pass.again, origin)
  pass.limit = min(pass.limit, hold)
}
