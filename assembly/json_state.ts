// What the JSON reader remembers between calls.
import { frames } from './paths'

export const OUTSIDE: u32 = 0

export const STRING: u32 = 1
/** What is no JSON: plain text up to the next quote. */
export const PLAIN: u32 = 2
/** Containers that are told apart; deeper ones are read, but have no path. */
export const DEPTH_MAX: u32 = 24
export const MODEL_BYTES_MAX: u32 = 256

/** The reader's state between calls. Offsets count from the retained text's first byte. */
@unmanaged
export class Json {
  mode: u32
  depth: u32
  /** Where the string being read begins: nothing before it is replaced. */
  barrier: u32
  is_key: u32
  expect_key: u32
  /** Node of the path trie that the next value stands at. */
  node: u32
  model_count: u32
  model_bytes: u32
  /** 1 while in a number, which may be cut anywhere. */
  in_number: u32
  /** The number's digits so far, as far as they fit. */
  number: u32
  /** Depth of the value that spells a text out and is being read, 0 outside of one. */
  spelling_depth: u32
  /** NULLING_*: what becomes of it. */
  nulling: u32
  /** 1 when something was replaced in the document. */
  masked: u32
  frames: u8 // DEPTH_MAX × 8: u16 node │ u8 is array │ u8 │ u32 frame id; then the model's bytes
}

const FRAMES_AT: usize = 56

export const NULLING_NOT: u32 = 0
/** It becomes null. */
export const NULLING_WHOLE: u32 = 1
/** What stands between its brackets goes. */
export const NULLING_CONTENTS: u32 = 2
const MODEL_AT: usize = FRAMES_AT + <usize>DEPTH_MAX * 8

export const JSON_BYTES: usize = MODEL_AT + <usize>MODEL_BYTES_MAX

// @ts-ignore: decorator
@inline
export function frameAt(j: Json, depth: u32): usize {
  return changetype<usize>(j) + FRAMES_AT + (<usize>(depth - 1) << 3)
}

export function modelOf(j: Json): usize {
  return changetype<usize>(j) + MODEL_AT
}

export function resetJson(j: Json, at: u32): void {
  j.mode = OUTSIDE
  j.depth = 0
  j.barrier = at
  j.is_key = 0
  j.expect_key = 0
  j.node = 0
  j.in_number = 0
  j.number = 0
  j.spelling_depth = 0
  j.nulling = NULLING_NOT
}
