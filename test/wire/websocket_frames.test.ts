import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientFrame, closeFrame, FrameReader, opcodes } from '../../src/wire/websocket_frames.ts'

/** A frame as a server sends it. */
function serverFrame(opcode: number, payload: string | Buffer, last = true): Buffer {
  const body = Buffer.from(payload)
  const long = body.length >= 65536 ? 10 : body.length >= 126 ? 4 : 2
  const head = Buffer.alloc(long)
  head[0] = (last ? 0x80 : 0) | opcode
  head[1] = long === 2 ? body.length : long === 4 ? 126 : 127
  if (long === 4) head.writeUInt16BE(body.length, 2)
  if (long === 10) head.writeBigUInt64BE(BigInt(body.length), 2)
  return Buffer.concat([head, body])
}

function read(chunks: readonly Buffer[], message_bytes_max = 1_000_000): string[] {
  const told: string[] = []
  const reader = new FrameReader(
    {
      onMessage: (text, payload) => told.push(`${text ? 'text' : 'binary'} ${payload.toString('latin1')}`),
      onPing: (payload) => told.push(`ping ${payload}`),
      onClose: (code, reason) => told.push(`close ${code} ${reason}`),
      onBroken: (code) => told.push(`broken ${code}`),
    },
    message_bytes_max,
  )
  for (const chunk of chunks) reader.push(Buffer.from(chunk))
  return told
}

const closing = Buffer.concat([Buffer.from([0x0f, 0xa1]), Buffer.from('bye')]) // 4001

test('messages, fragments with pings between them, and a close are read, whatever the cut', () => {
  const bytes = Buffer.concat([
    serverFrame(opcodes.text, 'one'),
    serverFrame(opcodes.text, 'tw', false),
    serverFrame(opcodes.ping, 'p'),
    serverFrame(opcodes.continuation, 'o', false),
    serverFrame(opcodes.continuation, ''),
    serverFrame(opcodes.binary, 'x'.repeat(300)),
    serverFrame(opcodes.pong, ''),
    serverFrame(opcodes.text, ''),
    serverFrame(opcodes.close, closing),
    serverFrame(opcodes.text, 'too late'),
  ])
  const expected = ['text one', 'ping p', 'text two', `binary ${'x'.repeat(300)}`, 'text ', 'close 4001 bye']
  assert.deepEqual(read([bytes]), expected)
  assert.deepEqual(read(Array.from(bytes, (byte) => Buffer.of(byte))), expected)
  for (let cut = 1; cut < bytes.length; cut++) {
    assert.deepEqual(read([bytes.subarray(0, cut), bytes.subarray(cut)]), expected, `${cut}`)
  }
})

test('a message of 70 kB is read from many chunks', () => {
  const frame = serverFrame(opcodes.binary, 'y'.repeat(70_000))
  const chunks = Array.from({ length: 71 }, (_, i) => frame.subarray(i * 1000, (i + 1) * 1000))
  assert.deepEqual(read(chunks), [`binary ${'y'.repeat(70_000)}`])
})

test('what a server must not send ends the reading with the right code', () => {
  const masked = clientFrame(opcodes.text, Buffer.from('hi'))
  const reserved = serverFrame(opcodes.text, 'x')
  reserved[0]! |= 0x40
  const cases: [string, Buffer[], string][] = [
    ['a masked frame', [masked], 'broken 1002'],
    ['a reserved bit', [reserved], 'broken 1002'],
    ['an unknown opcode', [serverFrame(3, '')], 'broken 1002'],
    ['a continuation of nothing', [serverFrame(opcodes.continuation, 'x')], 'broken 1002'],
    [
      'a message within a message',
      [serverFrame(opcodes.text, 'x', false), serverFrame(opcodes.text, 'y')],
      'broken 1002',
    ],
    ['a fragmented ping', [serverFrame(opcodes.ping, '', false)], 'broken 1002'],
    ['a long ping', [serverFrame(opcodes.ping, 'x'.repeat(126))], 'broken 1002'],
    ['text that is not UTF-8', [serverFrame(opcodes.text, Buffer.from([0xc3, 0x28]))], 'broken 1007'],
    ['a message over the limit', [serverFrame(opcodes.text, 'x'.repeat(101))], 'broken 1009'],
    [
      'fragments over the limit',
      [serverFrame(opcodes.text, 'x'.repeat(60), false), serverFrame(opcodes.continuation, 'x'.repeat(41))],
      'broken 1009',
    ],
    [
      'a close code that is never sent',
      [serverFrame(opcodes.close, Buffer.from([0x03, 0xee]))],
      'broken 1002',
    ],
    ['a close of one byte', [serverFrame(opcodes.close, 'x')], 'broken 1002'],
    ['a close without a code', [serverFrame(opcodes.close, '')], 'close 1005 '],
  ]
  for (const [what, frames, told] of cases) assert.deepEqual(read(frames, 100), [told], what)
})

test('frames to a server are masked, with their length in the shortest form', () => {
  for (const length of [0, 1, 125, 126, 65535, 65536]) {
    const payload = Buffer.alloc(length, 'z')
    const frame = clientFrame(opcodes.binary, payload)
    const head = length < 126 ? 2 : length < 65536 ? 4 : 10
    assert.equal(frame[0], 0x82)
    assert.equal(frame[1]! & 0x80, 0x80)
    const key = frame.subarray(head, head + 4)
    const plain = frame.subarray(head + 4).map((byte, i) => byte ^ key[i & 3]!)
    assert.deepEqual(Buffer.from(plain), payload)
  }
  assert.equal(closeFrame(1005, 'x').length, 6)
  assert.equal(closeFrame(1000, 'r'.repeat(200)).length, 6 + 125)
})
