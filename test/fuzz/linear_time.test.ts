import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type HostileText, hostile_texts } from '../../corpus/hostile/hostile_texts.ts'
import { createScanner } from '../../src/scanner/scanner.ts'

const scanner = await createScanner()
/** The shorter text is made longer until it takes so much time: what grows with the square must show. */
const ms_min = 1
const bytes_min = 32_768
const bytes_max = 1_048_576
/** Twice the bytes may take so much longer: 2, and what clocks and caches add. The square would be 4. */
const ratio_max = 2.6
/** Other programs only ever add to a time, so the best of several counts, and another round may put it right. */
const round_ms_max = 20_000

/** In ms of the processor's time, which goes on only while this process runs. */
function timeOf(contentType: string, body: Buffer, piece_bytes: number): number {
  const stream = scanner.open({ contentType })
  const began = process.cpuUsage()
  for (let at = 0; at < body.length; at += piece_bytes) stream.push(body.subarray(at, at + piece_bytes))
  stream.end()
  const { user, system } = process.cpuUsage(began)
  return (user + system) / 1000
}

function checkGrowth({ id, make }: HostileText, contentType: string, piece_bytes: number): void {
  const bodyOf = (bytes: number) =>
    Buffer.from(contentType === 'text/plain' ? make(bytes) : JSON.stringify({ text: make(bytes) }))
  let bytes = bytes_min
  timeOf(contentType, bodyOf(bytes), piece_bytes)
  while (bytes < bytes_max && timeOf(contentType, bodyOf(bytes), piece_bytes) < ms_min) bytes *= 2
  const bodies = [bodyOf(bytes), bodyOf(2 * bytes)] as const
  const best = [Infinity, Infinity] as [number, number]
  const until = performance.now() + round_ms_max
  for (let round = 0; round < 3 || (best[1] > best[0] * ratio_max && performance.now() < until); round++) {
    best[0] = Math.min(best[0], timeOf(contentType, bodies[0], piece_bytes))
    best[1] = Math.min(best[1], timeOf(contentType, bodies[1], piece_bytes))
  }
  const told = `${id}: ${bytes} bytes took ${best[0]} ms, twice as many ${best[1]} ms`
  assert.ok(best[1] <= best[0] * ratio_max, told)
}

for (const contentType of ['text/plain', 'application/json']) {
  for (const piece_bytes of [16_384, 1_400]) {
    test(`hostile ${contentType} in pieces of ${piece_bytes} bytes takes time in proportion to its length`, () => {
      for (const hostile of hostile_texts) checkGrowth(hostile, contentType, piece_bytes)
    })
  }
}

test('hostile text in one piece, however long, takes time in proportion to its length', () => {
  for (const hostile of hostile_texts) checkGrowth(hostile, 'text/plain', 2 * bytes_max)
})
