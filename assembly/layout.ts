// The memory map. One instance serves one thread and one call at a time; nothing here outlives a call except the
// tables. A stream's own state is copied in before a call and out after it by the host (see scanner.ts), so that
// thousands of streams share these buffers and an abandoned stream costs no Wasm memory.
//
//   heap base ─┬─ TABLES     compiled detectors, written once by the host          6 MiB
//              ├─ STATE      one stream's state, in; of text and JSON also out     8 MiB
//              ├─ PENDING    whole events that waited, up to where WORK begins     4 MiB
//              ├─ WORK       input: [carried bytes | chunk]                        3 MiB
//              ├─ TEXT       decoded text with what came just before it            3 MiB
//              ├─ MAP        breakpoints: decoded offset → input offset            4 MiB
//              ├─ CLUSTERS   ranges to replace, in text order                      2 MiB
//              ├─ EDITS      ranges to replace, in input order                     2 MiB
//              ├─ FINDINGS   what the host reads after a call                      2 MiB
//              ├─ OUT        output, when anything was replaced                    12 MiB
//              ├─ SCRATCH    what is needed for a moment                           4 MiB
//              ├─ PIECES     strings of events that wait for their channel         2 MiB
//              ├─ TEXTS      what this call's channels keep of their texts         2 MiB
//              ├─ TEXT_EDITS ranges to replace in pieces with escapes              2 MiB
//              ├─ SAVED      an event stream's state, out                          8 MiB
//              └─ SURVEY     what the prefilter found of a text                    1 MiB

const MiB: usize = 1024 * 1024

export const TABLES: usize = (__heap_base + 0xffff) & ~0xffff
export const TABLES_BYTES: usize = 6 * MiB
export const STATE: usize = TABLES + TABLES_BYTES
export const STATE_BYTES: usize = 8 * MiB
export const PENDING: usize = STATE + STATE_BYTES
export const PENDING_BYTES: usize = 4 * MiB
export const WORK: usize = PENDING + PENDING_BYTES
export const WORK_BYTES: usize = 3 * MiB
export const TEXT: usize = WORK + WORK_BYTES
export const TEXT_BYTES: usize = 3 * MiB
export const MAP: usize = TEXT + TEXT_BYTES
export const MAP_BYTES: usize = 4 * MiB
export const CLUSTERS: usize = MAP + MAP_BYTES
export const CLUSTERS_BYTES: usize = 2 * MiB
export const EDITS: usize = CLUSTERS + CLUSTERS_BYTES
export const EDITS_BYTES: usize = 2 * MiB
export const FINDINGS: usize = EDITS + EDITS_BYTES
export const FINDINGS_BYTES: usize = 2 * MiB
export const OUT: usize = FINDINGS + FINDINGS_BYTES
export const OUT_BYTES: usize = 12 * MiB
export const SCRATCH: usize = OUT + OUT_BYTES
export const SCRATCH_BYTES: usize = 4 * MiB
export const PIECES: usize = SCRATCH + SCRATCH_BYTES
export const PIECES_BYTES: usize = 2 * MiB
export const TEXTS: usize = PIECES + PIECES_BYTES
export const TEXTS_BYTES: usize = 2 * MiB
export const TEXT_EDITS: usize = TEXTS + TEXTS_BYTES
export const TEXT_EDITS_BYTES: usize = 2 * MiB
export const SAVED: usize = TEXT_EDITS + TEXT_EDITS_BYTES
export const SAVED_BYTES: usize = STATE_BYTES
export const SURVEY: usize = SAVED + SAVED_BYTES
export const SURVEY_BYTES: usize = 1 * MiB
export const END: usize = SURVEY + SURVEY_BYTES

/** Bytes of one chunk at most; the host cuts longer ones. */
export const CHUNK_BYTES_MAX: u32 = 65536
/** Carried input at most: an unfinished event. Whole ones that wait: PENDING_BYTES. */
export const CARRY_BYTES_MAX: u32 = 2 * 1024 * 1024

/** A token this long and matching is replaced at once; what follows of it is swallowed. Decisions read no further. */
export const LATCH: u32 = 256
/** A candidate that has not matched after this many bytes is none. */
export const CANDIDATE_BYTES_MAX: u32 = 4096
/** A run of token characters longer than this is data, not a secret. */
export const RUN_BYTES_MAX: u32 = 256
/** A run shorter than this is not looked at by the entropy detector. */
export const RUN_BYTES_MIN: u32 = 16
/** `balanced`: so many characters of an unprefixed token may pass before it looks random, at most, less one. */
export const SIGN_BYTES: u32 = 8
/** The same of a token whose anchor stands inside, when it begins like words. */
export const WORDLIKE_BYTES: u32 = 16

if (STATE_BYTES < TEXTS_BYTES + PIECES_BYTES + EDITS_BYTES + TEXT_EDITS_BYTES / 2) ERROR('what an event stream keeps does not fit')
if (WORK_BYTES < <usize>CARRY_BYTES_MAX + <usize>CHUNK_BYTES_MAX) ERROR('carry and chunk do not fit the work area')
if (LATCH > CANDIDATE_BYTES_MAX) ERROR('latched tokens would never match')
if (RUN_BYTES_MIN < SIGN_BYTES) ERROR('runs are judged before their sign could show')
