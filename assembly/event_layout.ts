// Where the event stream keeps its channels (in STATE, carried over) and what it read of one call (in SCRATCH).
import { CHANNEL_BYTES } from './channel'
import { SCRATCH, STATE } from './layout'
import { FRAME_BYTES, SPAN_BYTES } from './paths'

const MiB: usize = 1024 * 1024

export const SPANS: usize = SCRATCH + 2 * MiB
export const SPANS_MAX: u32 = <u32>(MiB / SPAN_BYTES)

export const FRAMES: usize = SPANS + MiB
export const FRAMES_MAX: u32 = <u32>(MiB / 2 / FRAME_BYTES)

/** An event: u32 input end │ u32 spans before its end │ u32 findings before its end. */
export const EVENTS: usize = FRAMES + MiB / 2
export const EVENT_BYTES: usize = 12

export const EVENTS_MAX: u32 = <u32>(MiB / 4 / EVENT_BYTES)
/** The node of text that is no JSON. */
export const NODE_DATA: u32 = 0xfffe
/** Channels that one stream joins at once. */
export const SLOTS_MAX: u32 = 32
/** Text that a channel keeps in front of the next delta. */
export const SLOT_TEXT_MAX: u32 = 720
export const SLOT_TEXT_AT: usize = CHANNEL_BYTES + 16

export const SLOT_BYTES: usize = 1024
export const SLOTS: usize = STATE + 64

/** Stands behind the slots; not carried over. */
export const EVENT_CHANNEL: usize = STATE + 64 + <usize>SLOTS_MAX * SLOT_BYTES
export const EVENT_JSON: usize = EVENT_CHANNEL + 256

/** Text offsets where each span begins and ends, u32 each, beside the spans. */
export const SPAN_TEXT: usize = SCRATCH + MiB

/** u32: where, in the carried input, the last whole event ends. */
export const EVENTS_READ: usize = STATE
