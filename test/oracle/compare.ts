import assert from 'node:assert/strict'
import type { Scanner } from '../../src/scanner/scanner.ts'
import type { NaiveResult } from './naive_scanner.ts'

/** What the engine makes of raw text that is cut at these offsets. */
export function scan(scanner: Scanner, text: Buffer, cuts: readonly number[]): NaiveResult {
  const stream = scanner.open({ contentType: 'text/plain' })
  const parts: Buffer[] = []
  let from = 0
  for (const cut of [...cuts, text.length]) {
    parts.push(Buffer.from(stream.push(text.subarray(from, cut))))
    from = cut
  }
  parts.push(Buffer.from(stream.end()))
  const findings = stream.findings.map(({ detector, start, end }) => ({ detector, start, end }))
  return { output: Buffer.concat(parts), findings }
}

export function assertSame(actual: NaiveResult, expected: NaiveResult, told: string): void {
  assert.deepEqual(actual.findings, expected.findings, told)
  assert.equal(actual.output.toString('latin1'), expected.output.toString('latin1'), told)
}

/** How long a fuzz test looks, in ms. SLUICE_FUZZ_SECONDS asks for longer than the tests have time for. */
export function fuzzMs(usual: number): number {
  const asked = Number(process.env.SLUICE_FUZZ_SECONDS ?? 0)
  return asked > 0 ? asked * 1000 : usual
}

/** Where a fuzz test begins: the same place each time, or SLUICE_FUZZ_SEED. */
export function fuzzSeed(): number {
  return Number(process.env.SLUICE_FUZZ_SEED ?? 1)
}
