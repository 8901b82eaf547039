import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyKind } from '../../src/wire/body_kind.ts'
import { boundaryOf } from '../../src/wire/part_head.ts'
import { allCuts, mask, scanChunks, secret } from './made_up.ts'

const type = 'multipart/form-data; boundary=b0unda.ry'
const latin1 = (text: string) => Buffer.from(text, 'latin1')
const part = (head: string, content: string, line = '\r\n') =>
  `--b0unda.ry${line}${head}${line}${line}${content}${line}`
const field = (name: string, content: string) =>
  part(`Content-Disposition: form-data; name="${name}"`, content)
const image = '\x89PNG\r\n\x1a\n\0\0\0\rIHDR \r\n--b0unda \r\n--b0unda.ryX\xff\r\n'

const body = [
  'a preamble \r\n',
  field('model', 'whisper-1'),
  field('prompt', `my token is ${secret} and that is it`),
  part(
    'Content-Disposition: form-data; name="meta"\r\nContent-Type: application/json',
    `{"t":"\\u0067${secret.slice(1)}"}`,
  ),
  part(
    `Content-Disposition: form-data; name="file"; filename="${secret}.png"\r\nContent-Type: image/png`,
    image,
  ),
  part('content-type: application/x-www-form-urlencoded', `a=1&b=${secret}`),
  field('empty', ''),
  '--b0unda.ry--\r\nan epilogue',
].join('')

test('each part is scanned as what it is, whatever the cut; binary ones pass and are counted', () => {
  const expected = body
    .replace(`my token is ${secret}`, `my token is ${mask}`)
    .replace(`\\u0067${secret.slice(1)}`, mask)
    .replace(`filename="${secret}`, `filename="${mask}`)
    .replace(`b=${secret}`, 'b=%5BREDACTED%3Agithub-pat%5D')
  for (const chunks of allCuts(latin1(body))) {
    const { out, findings, stream, recorded } = scanChunks(type, chunks)
    assert.equal(out, expected)
    assert.deepEqual(
      findings.map((finding) => finding.channel),
      ['part.2', 'part.3', 'part.4.header', 'part.5.form.1'],
    )
    assert.equal(stream.bytes, body.length)
    assert.ok('unscanned_bytes' in stream)
    assert.equal(stream.unscanned_bytes, image.length)
    assert.equal(stream.unscanned_reason, 'binary image/png')
    assert.equal(recorded, expected.replace(image, ''), 'what was not looked at is not recorded')
    assert.equal(stream.model, 'whisper-1')
    assert.equal(stream.modelCount, 1)
  }
})

test('lines that end in LF alone, blanks behind a boundary, and a body without an end are understood', () => {
  const loose = `--b0unda.ry \t\nContent-Type: image/png\n\n${image}\n--b0unda.ry\n\ntext ${secret}`
  for (const chunks of allCuts(latin1(loose))) {
    const { out, stream } = scanChunks(type, chunks)
    assert.equal(out, loose.replace(secret, mask))
    assert.ok('unscanned_bytes' in stream)
    assert.equal(stream.unscanned_bytes, image.length)
  }
})

test('what is no boundary stays content: a longer one, one in the middle of a line, and its beginning at the end', () => {
  for (const content of [
    'x\r\n--b0unda.ryX\r\n',
    'x --b0unda.ry\r\n',
    'x\r\n--b0unda.',
    'x\r',
    '\r\n\r\n',
    '--b0unda.ry-',
  ]) {
    const text = field('a', `${secret} ${content}`)
    for (const chunks of allCuts(latin1(text))) {
      const { out, findings } = scanChunks(type, chunks)
      assert.equal(out, text.replace(secret, mask), content)
      assert.deepEqual(
        findings.map(({ channel }) => channel),
        ['part.1'],
      )
    }
  }
})

test('a body within a part is a body of its own', () => {
  const inner = `--inner\r\nContent-Type: image/gif\r\n\r\nGIF89a\x01\0\r\n--inner\r\n\r\n${secret}\r\n--inner--\r\n`
  const outer = `${part('Content-Type: multipart/mixed; boundary="inner"', inner)}${field('b', 'x')}--b0unda.ry--`
  for (const chunks of allCuts(latin1(outer))) {
    const { out, findings, stream, recorded } = scanChunks(type, chunks)
    assert.equal(out, outer.replace(secret, mask))
    assert.equal(findings[0]!.channel, 'part.1.part.2')
    assert.ok('unscanned_bytes' in stream)
    assert.equal(stream.unscanned_bytes, 8)
    assert.equal(recorded, outer.replace(secret, mask).replace('GIF89a\x01\0', ''))
  }
})

test('a part that cannot be scanned is told, and passes where that is allowed', () => {
  const wide = Buffer.from(`{"a":"${secret}"}`, 'utf16le').toString('latin1')
  const cases: [string, string, string][] = [
    ['Content-Type: application/json', wide, 'UTF-16 or UTF-32'],
    ['Content-Type: text/plain; charset=utf-16', wide, 'charset is not ASCII-compatible'],
    [
      'Content-Transfer-Encoding: base64',
      Buffer.from(secret).toString('base64'),
      'content-transfer-encoding of a part',
    ],
    ['Content-Type: multipart/mixed', 'x', 'multipart without a boundary'],
  ]
  for (const [head, content, reason] of cases) {
    const text = `${part(head, content)}${field('b', secret)}`
    for (const chunks of allCuts(latin1(text))) {
      const told: string[] = []
      const { out, stream } = scanChunks(type, chunks, (why) => told.push(why))
      assert.deepEqual(told, [reason])
      assert.equal(out, text.replace(`\r\n${secret}`, `\r\n${mask}`))
      assert.ok('unscanned_bytes' in stream)
      assert.equal(stream.unscanned_bytes, content.length)
    }
  }
})

test('a file that claims to be binary and is text is scanned', () => {
  const text = part('Content-Type: application/octet-stream', `key: ${secret}`)
  for (const chunks of allCuts(latin1(text)))
    assert.equal(scanChunks(type, chunks).out, text.replace(secret, mask))
})

test('headers of a part have a bound', () => {
  const endless = `--b0unda.ry\r\nx: ${'y'.repeat(20_000)}`
  assert.throws(() => scanChunks(type, [latin1(endless)]), { code: 'event_too_large' })
})

test('boundaries are read as they may be written, and never guessed', () => {
  assert.deepEqual(boundaryOf('multipart/form-data; boundary=abc'), { boundary: 'abc' })
  assert.deepEqual(boundaryOf('multipart/form-data;BOUNDARY="a b\\"c"; charset=utf-8'), { boundary: 'a b"c' })
  assert.deepEqual(boundaryOf('multipart/related; type="x; boundary=no"; boundary=yes'), { boundary: 'yes' })
  for (const wrong of ['', '; boundary=', '; boundary=a; boundary=b', `; boundary=${'x'.repeat(71)}`]) {
    assert.equal(bodyKind(`multipart/form-data${wrong}`, '').kind, 'unscannable', wrong)
  }
})
