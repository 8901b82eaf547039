// The compiled detectors as the host writes them (src/scanner/compile_detectors.ts holds the writing side).
// All offsets are relative to TABLES.
//
// An automaton row:      class_count × u32 transitions │ u32 output list │ u32 fail row │ u32 depth, flags << 8, cases << 16
//   a transition is the target row's offset from the first row, bit 0 set when that row has outputs.
// An output list:        u16 count │ u16 pattern index …
// A pattern (16 bytes):  u8 type │ u8 anchor length │ u8 offset min │ u8 offset max │ u32 reference │ u32 literal │ u32 unused
// A detector (64 bytes): see the D_ constants.
import { TABLES } from './layout'

export const MAGIC: u32 = 0x534c4331

export const TYPE_TOKEN: u32 = 1
export const TYPE_BLOCK: u32 = 2
export const TYPE_CONTEXT: u32 = 3
export const TYPE_URL: u32 = 4
export const TYPE_BASIC: u32 = 6
export const TYPE_KEYWORD: u32 = 7
export const TYPE_RULE: u32 = 8

/** A row below which a token or block begins that needs a non-word byte in front. */
export const ROW_WORD: u32 = 1
/** A row below which a token or block begins that may stand anywhere. */
export const ROW_ANY: u32 = 2
/** A row below which a key word, trigger or `://` begins: nothing to hold, but to be read again. */
export const ROW_AGAIN: u32 = 4
/** As ROW_ANY and as ROW_WORD, of tokens of which leadOf() bytes may pass. */
export const ROW_PUBLIC: u32 = 8
export const ROW_PUBLIC_WORD: u32 = 16

export const D_INDEX: usize = 0
export const D_CLASSES: usize = 4
export const D_NEXT: usize = 8
export const D_ACCEPT: usize = 12
export const D_CLASS_COUNT: usize = 16
export const D_FLAGS: usize = 20
export const D_KEEP: usize = 24
export const D_ENTROPY: usize = 28
export const D_LABEL: usize = 32
export const D_LABEL_BYTES: usize = 36
/** Bytes of a match that are its format's public beginning. */
export const D_SHOWN: usize = 40
export const D_CONTAINS: usize = 44
/** A rule's other parts, see rules.ts. */
export const D_RULE: usize = 44
export const D_CONTAINS_BYTES: usize = 48
export const D_END: usize = 52
export const D_END_BYTES: usize = 56
export const D_ANCHOR_BYTES: usize = 60

export const FLAG_LEFT_WORD: u32 = 1
export const FLAG_RIGHT_WORD: u32 = 2
/** Reported, not replaced. */
export const FLAG_IDENTIFIER: u32 = 4
/** Any start before the anchor is tried, so what comes before the anchor must be held by its looks. */
export const FLAG_INFIX: u32 = 8
/** Without a digit it is words. */
export const FLAG_DIGIT: u32 = 16
/** Its alphabet has asterisks, so a mask of fixed length must be told from it. */
export const FLAG_STARS: u32 = 32
/** Everybody knows how it begins: leadOf() bytes may pass. */
export const FLAG_PUBLIC: u32 = 64

// @ts-ignore: decorator
@inline
function header(i: usize): u32 {
  return load<u32>(TABLES + i)
}

export let ac_classes: usize = 0
export let ac_rows: usize = 0
/** Byte offset, within a row, of what follows the transitions. */
export let ac_extra: usize = 0
export let patterns: usize = 0
export let detectors: usize = 0
export let infix: usize = 0
export let infix_count: u32 = 0
export let d_generic: usize = 0
export let d_url: usize = 0
/** A DFA of token characters, for what is swallowed unproved. */
export let d_run: usize = 0
export let d_basic: usize = 0
/** 0 when the entropy detector is off. */
export let d_entropy: usize = 0
export let paths: usize = 0
export let strict: bool = false
/** Tables of prefilter.ts; 0 when everything is walked. */
export let prefilter: usize = 0
/** Bytes of the longest literal of the automaton. */
export let literal_bytes_max: u32 = 0
/** Whether encoded runs are decoded and read. */
export let decoding: bool = false

// @ts-ignore: decorator
@inline
function optional(i: usize): usize {
  const offset = header(i)
  return offset == 0 ? 0 : TABLES + offset
}

/** Reads the header that the host wrote. @returns false when it is not one. */
export function openTables(): bool {
  if (header(0) != MAGIC) return false
  ac_classes = TABLES + header(4)
  ac_rows = TABLES + header(8)
  ac_extra = header(12)
  patterns = TABLES + header(16)
  detectors = TABLES + header(20)
  infix = TABLES + header(24)
  infix_count = header(28)
  d_generic = optional(32)
  d_url = optional(36)
  d_run = optional(40)
  d_basic = optional(44)
  d_entropy = optional(48)
  paths = TABLES + header(52)
  strict = header(56) != 0
  prefilter = optional(60)
  literal_bytes_max = header(64)
  decoding = header(68) != 0
  return true
}
