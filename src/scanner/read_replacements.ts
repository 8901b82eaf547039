import type { Replacement } from './scan_stream.ts'

/** An edit of assembly/map.ts, after `write`: {u32 start, u32 end, u32 mask bytes, u32 detail}, offsets in the input. */
const edit_bytes = 16

/** @param from offset in the input where the output begins */
export function readReplacements(view: DataView, edits: number, count: number, from: number): Replacement[] {
  const replacements: Replacement[] = []
  let read = from
  let at = 0
  for (let e = edits; e < edits + count * edit_bytes; e += edit_bytes) {
    const start = Math.max(read, view.getUint32(e, true))
    const end = Math.max(start, view.getUint32(e + 4, true))
    const bytes = view.getUint32(e + 8, true)
    at += start - read
    replacements.push({ at, bytes, input_bytes: end - start })
    at += bytes
    read = end
  }
  return replacements
}
