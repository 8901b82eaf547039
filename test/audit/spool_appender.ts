// Appends records without end and prints each sequence once it is on the disk; a process of its own, to be killed.
import { openSpool } from '../../src/audit/spool.ts'
import { madeUpRecord } from './made_up.ts'

const [folder = '', mode] = process.argv.slice(2)
let failures = 0
const spool = await openSpool(folder, { bytes_max: 64 * 1024 * 1024, failed: () => failures++ })
let acknowledged = 0

while (failures === 0) {
  for (let n = 0; n < 100; n++)
    spool.append({ kind: 'exchange', record: madeUpRecord(spool.last_sequence + 1) })
  const last = spool.last_sequence
  await Promise.race([spool.committed().then(() => (acknowledged = last)), failed()])
  if (mode === undefined) process.stdout.write(`${acknowledged}\n`)
}
const kept = spool.read(1, 1_000_000, Number.POSITIVE_INFINITY).length >= acknowledged
process.stdout.write(`${JSON.stringify({ failures, pending_bytes: spool.pending_bytes, kept })}\n`)
process.exit(0)

/** Resolves once a write failed. */
async function failed(): Promise<void> {
  while (failures === 0) await new Promise((resolve) => setTimeout(resolve, 5))
}
