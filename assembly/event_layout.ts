// Where the event stream keeps its things.
//
// What is carried over stands at STATE, one behind the other, and is put together anew at SAVED:
//   header │ slots │ what each slot keeps of its text │ pieces │ edits │ edits of pieces with escapes │ template
//
// Offsets of events, pieces and edits count from the first byte that was not sent; the input of a call stands behind the
// events that wait, so its first byte has the offset `pending`.
import { CHANNEL_BYTES } from './channel'
import { PIECES_BYTES, SCRATCH, TEXT_EDITS_BYTES } from './layout'

const MiB: usize = 1024 * 1024

// header, u32 each
export const H_SLOTS: usize = 0
export const H_PIECES: usize = 4
export const H_EDITS: usize = 8
export const H_TEXT_EDITS: usize = 12
/** Bytes of whole events that wait. */
export const H_PENDING: usize = 16
/** Text that may be read anew, see advance(). */
export const H_CREDIT: usize = 20
/** 1 when the stream's first bytes were read. */
export const H_BEGUN: usize = 24
/** Bytes of the template, 0 when there is none; where its text stands; its slot and that slot's identity. */
export const H_TEMPLATE: usize = 28
export const H_HOLE: usize = 32
export const H_HOLE_END: usize = 36
export const H_TEMPLATE_SLOT: usize = 40
export const H_TEMPLATE_IDENTITY: usize = 44
/** One more than the slot that the last piece went to; 0 before the first. */
export const H_LAST: usize = 48
export const HEADER_BYTES: usize = 64

/** Channels that one stream joins at once. */
export const SLOTS_MAX: u32 = 128
export const SLOT_BYTES: usize = (CHANNEL_BYTES + 32 + 15) & ~15
/** The slots of this call. */
export const SLOTS: usize = SCRATCH + 3 * MiB + MiB / 2

/** No piece. */
export const NONE: u32 = 0xffffffff
export const PIECE_BYTES: usize = 32
export const PIECES_MAX: u32 = <u32>(PIECES_BYTES / PIECE_BYTES)

/** u32 piece │ u32 start │ u32 end, in the piece's text │ u32 detector │ u32 detail */
export const TEXT_EDIT_BYTES: usize = 20
export const TEXT_EDITS_MAX: u32 = <u32>(TEXT_EDITS_BYTES / TEXT_EDIT_BYTES)

/** Containers of one event. */
export const FRAMES: usize = SCRATCH + 2 * MiB + MiB / 2
export const FRAMES_MAX: u32 = <u32>(MiB / 2 / 8)

/** The channel of what is no delta, and the reader, of the event being read. */
export const EVENT_CHANNEL: usize = SCRATCH + 3 * MiB
export const EVENT_JSON: usize = EVENT_CHANNEL + 1024

/** The node of text that is no JSON. */
export const NODE_DATA: u32 = 0xfffe
/** Longest event that may serve as a template. */
export const TEMPLATE_BYTES_MAX: u32 = 1024

if (<usize>SLOTS_MAX * SLOT_BYTES > MiB / 4) ERROR('the slots run into the end of the scratch area')
if (CHANNEL_BYTES > 1024) ERROR('the channel of an event runs into its reader')
