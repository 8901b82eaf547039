import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { allCuts, mask, scanChunks, secret } from './made_up.ts'

const type = 'application/x-www-form-urlencoded'
const scan = (form: string) => scanChunks(type, [Buffer.from(form, 'latin1')])
const escaped_mask = '%5BREDACTED%3Agithub-pat%5D'

test('a value is unescaped, masked and escaped again, whatever the cut; every other byte stays', () => {
  const escaped = [...secret].map((char) => `%${char.charCodeAt(0).toString(16)}`).join('')
  const form = `a=1+2%2b&say=hi%20there+${escaped}+%7e%zz%4&b=%&%3d=x&&=&c`
  const expected = `a=1+2%2b&say=hi%20there+${escaped_mask}+%7e%zz%4&b=%&%3d=x&&=&c`
  for (const chunks of allCuts(Buffer.from(form))) {
    const { out, findings } = scanChunks(type, chunks)
    assert.equal(out, expected)
    assert.deepEqual(
      findings.map(({ detector, channel, start, end }) => ({ detector, channel, start, end })),
      [{ detector: 'github-pat', channel: 'form.1', start: 13, end: 53 }],
    )
  }
})

test('keys are looked at as well, and what a key says of its value', () => {
  assert.equal(scan(`${secret}=x&y=1`).out, `${escaped_mask}=x&y=1`)
  assert.equal(scan(`${secret}=${secret}&y=1`).out, `${escaped_mask}=${escaped_mask}&y=1`)
  const { out, findings } = scan('db%5Fpassword=kV9%24wq%21Zr7&next=1')
  assert.equal(findings.length, 1)
  assert.match(out, /^db%5Fpassword=%5BREDACTED%3A[a-z-]+%5D&next=1$/)
})

test('a key in PEM, whose lines are escaped, is masked', () => {
  const [begin, end] = ['BEGIN', 'END'].map((word) => `-----${word} PRIVATE KEY-----`)
  const lines = Array.from({ length: 20 }, (_, i) =>
    Buffer.from(`line ${i} of made-up key bytes, 48 in each l`).toString('base64'),
  )
  const body = new URLSearchParams({
    user: 'ana',
    key: `${begin}\n${lines.join('\n')}\n${end}\n`,
    last: '~',
  }).toString()
  for (const size of [1, 7, 100, 5000]) {
    const bytes = Buffer.from(body)
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    )
    const { out } = scanChunks(type, chunks)
    assert.match(out, /^user=ana&key=%5BREDACTED%3A[a-z-]+%5D%0A&last=%7E$/)
  }
})

test('the model of a form is known', () => {
  const { stream } = scan('file=x&m%6fdel=gpt%2D4o&n=2')
  assert.equal(stream.model, 'gpt-4o')
  assert.equal(stream.modelCount, 1)
  assert.equal(scan('model=a&model=b').stream.modelCount, 2)
  assert.equal(scan('model').stream.modelCount, 0)
})

test('a form without secrets comes out byte for byte, however it is cut', () => {
  const form = fc.stringMatching(/^[a-z0-9=&%+;. ~-]{0,80}$/)
  fc.assert(
    fc.property(form, fc.integer({ min: 1, max: 9 }), (text, size) => {
      const bytes = Buffer.from(text, 'latin1')
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      )
      const { out, findings, stream } = scanChunks(type, chunks)
      if (findings.length === 0) assert.equal(out, text)
      assert.equal(stream.bytes, bytes.length)
    }),
    { numRuns: 300 },
  )
})

test('a long value streams through: it is not kept', () => {
  const piece = Buffer.from('some+more+words+'.repeat(4096))
  const chunks = Array.from({ length: 64 }, () => piece)
  const { out } = scanChunks(type, [Buffer.from('text='), ...chunks, Buffer.from(`+${secret}`)])
  assert.equal(out.length, 5 + 64 * piece.length + 1 + escaped_mask.length)
  assert.ok(out.endsWith(`+${escaped_mask}`))
  assert.ok(!out.includes(mask))
})
