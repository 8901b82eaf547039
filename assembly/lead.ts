// Whether a channel's text is JSON itself, as tool-call arguments and structured answers are: it begins like an object with a
// key, or like an array of strings, objects or arrays. A few bytes tell.
import { CHANNEL_BYTES, Channel } from './channel'

const BEGINS: u32 = 0
const IN_OBJECT: u32 = 1
const IN_ARRAY: u32 = 2
const JSON: u32 = 3
const OTHER: u32 = 4

/** Where the channel holds what its text began with, as far as it was sent. */
// @ts-ignore: decorator
@inline
function leadOf(ch: Channel): usize {
  return changetype<usize>(ch) + CHANNEL_BYTES - 4
}

/** The channel's text begins anew: with a JSON string, for one. */
export function resetLead(ch: Channel): void {
  store<u32>(leadOf(ch), BEGINS)
}

/** What the channel's text begins with, t[ch.emitted, n) included. */
export function leadAt(ch: Channel, t: usize, n: u32): u32 {
  let lead = load<u32>(leadOf(ch))
  for (let p = ch.emitted; p < n && lead < JSON; p++) {
    const c = load<u8>(t + p)
    if (c <= 32) continue
    if (lead == BEGINS) lead = c == 123 ? IN_OBJECT : c == 91 ? IN_ARRAY : OTHER
    else if (c == 34) lead = JSON
    else lead = lead == IN_ARRAY && (c == 123 || c == 91) ? JSON : OTHER
  }
  return lead
}

export function leadsAsJson(lead: u32): bool {
  return lead == JSON
}

/** The text up to `to` goes out. */
export function takeLead(ch: Channel, t: usize, to: u32): void {
  if (load<u32>(leadOf(ch)) < JSON) store<u32>(leadOf(ch), leadAt(ch, t, to))
}
