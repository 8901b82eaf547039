import type { Finding } from '../../src/scanner/finding.ts'
import type { ScanStream, StreamOptions } from '../../src/scanner/scanner.ts'

export interface Scanned {
  readonly output: string
  readonly findings: readonly Finding[]
}

/** Pushes `input` in pieces that end at `cuts`, in order, and at its end. */
export function scanCuts(
  scanner: { open(options: StreamOptions): ScanStream },
  options: StreamOptions,
  input: Uint8Array,
  cuts: Iterable<number>,
): Scanned {
  const stream = scanner.open(options)
  const output: Buffer[] = []
  let at = 0
  for (const cut of cuts) {
    output.push(Buffer.from(stream.push(input.subarray(at, cut))))
    at = cut
  }
  output.push(Buffer.from(stream.push(input.subarray(at))))
  output.push(Buffer.from(stream.end()))
  return { output: Buffer.concat(output).toString(), findings: stream.findings }
}

/** A cut behind every byte. */
export function everyByte(input: Uint8Array): number[] {
  return Array.from({ length: Math.max(0, input.length - 1) }, (_, i) => i + 1)
}
