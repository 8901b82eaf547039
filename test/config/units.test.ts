import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDuration, parseDuration } from '../../src/config/durations.ts'
import { formatSize, parseSize } from '../../src/config/sizes.ts'

test('durations are a whole number and a unit', () => {
  const cases: [string, number | null][] = [
    ['3m', 180_000],
    ['210s', 210_000],
    ['400d', 34_560_000_000],
    ['1500ms', 1_500],
    ['2h', 7_200_000],
    ['0s', 0],
    ['3', null],
    ['m', null],
    ['3 m', null],
    ['3M', null],
    ['1.5h', null],
    ['-1s', null],
    ['1h30m', null],
    ['', null],
    ['999999999999d', null],
  ]
  for (const [text, ms] of cases) assert.equal(parseDuration(text), ms, text)
})

test('a duration is shown in its largest exact unit, and reads back the same', () => {
  assert.equal(formatDuration(180_000), '3m')
  assert.equal(formatDuration(210_000), '210s')
  assert.equal(formatDuration(1_500), '1500ms')
  assert.equal(formatDuration(0), '0ms')
  for (const ms of [1, 999, 1_000, 86_400_000, 90_000]) assert.equal(parseDuration(formatDuration(ms)), ms)
})

test('sizes are a whole number and a unit, decimal or binary', () => {
  const cases: [string, number | null][] = [
    ['64KiB', 65_536],
    ['4 MiB', 4_194_304],
    ['10MB', 10_000_000],
    ['1GiB', 1_073_741_824],
    ['512B', 512],
    ['512', null],
    ['4mib', null],
    ['4M', null],
    ['1.5MiB', null],
    ['', null],
  ]
  for (const [text, bytes] of cases) assert.equal(parseSize(text), bytes, text)
  for (const bytes of [1, 1_000, 1_024, 4_194_304]) assert.equal(parseSize(formatSize(bytes)), bytes)
})
