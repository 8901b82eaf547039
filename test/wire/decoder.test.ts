import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  brotliCompressSync,
  createBrotliCompress,
  createDeflateRaw,
  createGzip,
  createZstdCompress,
  constants,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib'
import { limits } from '../../src/config/limits.ts'
import type { ContentCoding } from '../../src/wire/content_codings.ts'
import { type DecodeFailure, Decoder } from '../../src/wire/decoder.ts'

/** Decodes these chunks: the text, or why it cannot be. */
function decode(codings: ContentCoding[], chunks: readonly Uint8Array[]): Promise<Buffer | DecodeFailure> {
  return new Promise((resolve) => {
    const parts: Uint8Array[] = []
    const decoder = new Decoder(codings, {
      onDecoded: (chunk) => parts.push(chunk),
      onDecodedEnd: () => resolve(Buffer.concat(parts)),
      onDecodeFailure: resolve,
      onDecoderDrain: () => {},
    })
    for (const chunk of chunks) decoder.write(chunk)
    decoder.end()
  })
}

const bytewise = (encoded: Uint8Array) => Array.from(encoded, (byte) => Uint8Array.of(byte))
const text = Buffer.from('{"say":"hello, world"} \u00e4\u4e16 '.repeat(40))
const checked_zstd = (data: Uint8Array) =>
  zstdCompressSync(data, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })

const encoders: [name: string, coding: ContentCoding, encode: (data: Uint8Array) => Buffer][] = [
  ['gzip', 'gzip', (data) => gzipSync(data)],
  ['zlib', 'deflate', (data) => deflateSync(data)],
  ['raw deflate', 'deflate', (data) => deflateRawSync(data)],
  ['br', 'br', (data) => brotliCompressSync(data)],
  ['zstd', 'zstd', (data) => zstdCompressSync(data)],
  ['zstd with a checksum', 'zstd', checked_zstd],
]

for (const [name, coding, encode] of encoders) {
  const encoded = encode(text)

  test(`${name} decodes the same however it is cut`, async () => {
    assert.deepEqual(await decode([coding], [encoded]), text)
    assert.deepEqual(await decode([coding], bytewise(encoded)), text)
    for (let cut = 1; cut < encoded.length; cut++) {
      assert.deepEqual(
        await decode([coding], [encoded.subarray(0, cut), encoded.subarray(cut)]),
        text,
        `${cut}`,
      )
    }
  })

  test(`${name} that ends too early is an error at every length`, async () => {
    for (let length = 1; length < encoded.length; length++) {
      const short = encoded.subarray(0, length)
      assert.equal(await decode([coding], [short]), 'truncated', `${length} of ${encoded.length}`)
    }
  })

  test(`bytes behind the end of ${name} are an error, in the same chunk and in the next`, async () => {
    for (const extra of ['garbage', '\0\0\0']) {
      const behind = Buffer.from(extra)
      assert.match(
        String(await decode([coding], [Buffer.concat([encoded, behind])])),
        /^(corrupt|truncated)$/,
      )
      assert.match(String(await decode([coding], [encoded, behind])), /^(corrupt|truncated)$/)
    }
  })

  test(`${name} of nothing, and no byte at all, are empty bodies`, async () => {
    assert.deepEqual(await decode([coding], [encode(Buffer.alloc(0))]), Buffer.alloc(0))
    assert.deepEqual(await decode([coding], []), Buffer.alloc(0))
  })

  test(`${name} that swells beyond the ratio is stopped`, async () => {
    const bomb = encode(Buffer.alloc(limits.decoded_free_bytes_max * 4))
    assert.ok(bomb.length * limits.decoded_ratio_max < limits.decoded_free_bytes_max * 4)
    assert.equal(await decode([coding], [bomb]), 'expands')
  })
}

test('what is broken in the middle is an error', async () => {
  const random = Buffer.from(Array.from({ length: 500 }, (_, i) => (i * i * 7 + (i >> 3)) & 255))
  for (const [, coding, encode] of encoders.filter(
    ([name]) => name === 'gzip' || name === 'zstd with a checksum',
  )) {
    const encoded = encode(random)
    encoded[encoded.length - 20]! ^= 0x55
    assert.equal(await decode([coding], [encoded]), 'corrupt')
  }
})

test('several members of gzip, and several and skippable frames of zstd, are one body', async () => {
  const gzipped = Buffer.concat([gzipSync('one, '), gzipSync(''), gzipSync('two')])
  const skippable = Buffer.from('5a2a4d1803000000616263', 'hex')
  const empty_skippable = Buffer.from('502a4d1800000000', 'hex')
  const frames = [
    skippable,
    zstdCompressSync('one, '),
    empty_skippable,
    checked_zstd(Buffer.from('two')),
    skippable,
  ]
  for (const [coding, body] of [
    ['gzip', gzipped],
    ['zstd', Buffer.concat(frames)],
  ] as const) {
    assert.equal(String(await decode([coding], [body])), 'one, two')
    assert.equal(String(await decode([coding], bytewise(body))), 'one, two')
  }
})

test('two codings on top of each other are undone in reverse', async () => {
  const encoded = brotliCompressSync(gzipSync(text))
  assert.deepEqual(await decode(['gzip', 'br'], bytewise(encoded)), text)
  assert.deepEqual(await decode(['zstd', 'gzip'], [gzipSync(zstdCompressSync(text))]), text)
  assert.match(String(await decode(['br', 'gzip'], [encoded])), /corrupt|truncated/)
})

test('a bomb that swells between two codings is stopped, though little comes out at the end', async () => {
  const empty = gzipSync('')
  const members = Buffer.alloc(empty.length * 300_000, empty)
  const hidden = gzipSync(members)
  assert.equal(await decode(['gzip', 'gzip'], [hidden]), 'expands')
})

test('a zstd window beyond 8 MiB is refused', async () => {
  const params = { [constants.ZSTD_c_windowLog]: 25, [constants.ZSTD_c_compressionLevel]: 1 }
  const stream = createZstdCompress({ params })
  const parts: Buffer[] = []
  stream.on('data', (part) => parts.push(part))
  for (let i = 0; i < 40; i++) stream.write(Buffer.alloc(1024 * 1024, i))
  await new Promise((resolve) => stream.end(resolve))
  assert.equal(await decode(['zstd'], parts), 'corrupt')
})

test('what the sender flushed comes out before more comes in', async () => {
  const senders = [
    ['gzip', createGzip({ flush: constants.Z_SYNC_FLUSH })],
    ['deflate', createDeflateRaw({ flush: constants.Z_SYNC_FLUSH })],
    ['br', createBrotliCompress({ flush: constants.BROTLI_OPERATION_FLUSH })],
    ['zstd', createZstdCompress({ flush: constants.ZSTD_e_flush })],
  ] as const
  for (const [coding, sender] of senders) {
    let wake = () => {}
    let seen = ''
    const decoder = new Decoder([coding], {
      onDecoded: (chunk) => {
        seen += Buffer.from(chunk).toString()
        wake()
      },
      onDecodedEnd: () => {},
      onDecodeFailure: assert.fail,
      onDecoderDrain: () => {},
    })
    sender.on('data', (chunk: Buffer) => decoder.write(chunk))
    for (let i = 0; i < 5; i++) {
      const event = `data: {"n":${i}}\n\n`
      const arrived = new Promise<void>((resolve) => {
        wake = () => seen.endsWith(event) && resolve()
      })
      sender.write(event)
      await arrived
    }
    decoder.destroy()
    sender.destroy()
  }
})

test('a paused decoder puts nothing out, asks its source to wait, and goes on', async () => {
  const big = Buffer.alloc(3 * 1024 * 1024, 'the quick brown fox ')
  const encoded = gzipSync(big, { level: 0 })
  let bytes = 0
  let drained = () => {}
  const ended = Promise.withResolvers<void>()
  const decoder = new Decoder(['gzip'], {
    onDecoded: (chunk) => {
      bytes += chunk.byteLength
    },
    onDecodedEnd: ended.resolve,
    onDecodeFailure: ended.reject,
    onDecoderDrain: () => drained(),
  })
  decoder.pause()
  let at = 0
  const writeNext = () => {
    at += 65536
    return decoder.write(encoded.subarray(at - 65536, at))
  }
  while (at < encoded.length && writeNext()) assert.ok(at < encoded.length, 'it took everything')
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(bytes, 0)
  decoder.resume()
  while (at < encoded.length) {
    if (writeNext()) continue
    await new Promise<void>((resolve) => {
      drained = resolve
    })
  }
  decoder.end()
  await ended.promise
  assert.equal(bytes, big.length)
})
