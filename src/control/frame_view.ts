import type { ExchangeRecord } from '../audit/exchange_record.ts'
import { limits } from '../config/limits.ts'
import type { ExchangeFrames, FrameItem } from './api_shapes.ts'

/** The recorded frames of an exchange as text, in the order in which they went out, up to a bound. */
export function exchangeFrames(record: ExchangeRecord): ExchangeFrames {
  // A frame may end within a character; the decoder of its direction keeps the rest for the next.
  const decoders = { request: new TextDecoder(), response: new TextDecoder() }
  const frames: FrameItem[] = []
  let bytes = 0
  let cut = false
  for (const frame of [...record.frames].sort((one, other) => one.offset_us - other.offset_us)) {
    bytes += frame.bytes.byteLength
    if (bytes > limits.replay_bytes_max) {
      cut = true
      break
    }
    const text = decoders[frame.direction].decode(frame.bytes, { stream: true })
    frames.push({ direction: frame.direction, offset_us: frame.offset_us, text })
  }
  return {
    frames,
    total_us: Math.max(record.timing.total_us, frames.at(-1)?.offset_us ?? 0),
    erased: record.frames.some(({ erased }) => erased === true),
    truncated: cut || record.request.truncated || record.response.truncated,
  }
}
