import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openSpool, type Spool, type SpooledRecord } from '../../src/audit/spool.ts'
import { madeUpApproval, madeUpRecord, ownFolder, readable } from './made_up.ts'

const bytes_max = 64 * 1024 * 1024
const appender = fileURLToPath(new URL('./spool_appender.ts', import.meta.url))

const exchange = (n: number): SpooledRecord => ({ kind: 'exchange', record: madeUpRecord(n) })

/** Everything that waits, from the head on. */
const waiting = (spool: Spool) => spool.read(spool.removed() + 1, 1_000_000, Number.POSITIVE_INFINITY)

test('records come out in order as they went in, byte values and all', async (t) => {
  const spool = await openSpool(ownFolder(), { bytes_max })
  t.after(() => spool.close())
  const every_byte = Uint8Array.from({ length: 256 }, (_, value) => value)
  const frames = [{ direction: 'request' as const, offset_us: 1, bytes: every_byte }]
  const record = madeUpRecord(1, { frames })
  assert.equal(spool.append({ kind: 'exchange', record }), 1)
  const approval = madeUpApproval(2)
  assert.equal(spool.append({ kind: 'approval', recorded_at_us: 7, approval }), 2)
  for (let n = 3; n <= 200; n++) spool.append(exchange(n))
  await spool.committed()
  const found = waiting(spool)
  assert.deepEqual(
    found.map(({ sequence }) => sequence),
    Array.from({ length: 200 }, (_, n) => n + 1),
  )
  const [first, second] = found.map(({ record }) => record)
  assert.equal(first?.kind, 'exchange')
  assert.deepEqual(readable(first?.kind === 'exchange' ? first.record : null), readable(record))
  assert.deepEqual(second, { kind: 'approval', recorded_at_us: 7, approval })
})

test('a read stops before the byte limit but always takes one record', async (t) => {
  const spool = await openSpool(ownFolder(), { bytes_max })
  t.after(() => spool.close())
  for (let n = 1; n <= 10; n++) spool.append(exchange(n))
  await spool.committed()
  const one = spool.read(1, 10, 1)
  assert.equal(one.length, 1)
  assert.equal(spool.read(1, 10, (one[0]?.bytes ?? 0) * 3 + 50).length, 3)
  assert.equal(spool.read(1, 4, Number.POSITIVE_INFINITY).length, 4)
})

test('sequences go on after the spool was emptied and opened again', async (t) => {
  const folder = ownFolder()
  const before = await openSpool(folder, { bytes_max })
  for (let n = 1; n <= 5; n++) before.append(exchange(n))
  await before.committed()
  await before.settle({ first: 1, last: 5, pieces: [], rejected: [] }, bytes_max, null)
  assert.deepEqual(before.usage(), { rows: 0, bytes: 0 })
  await before.close()
  const after = await openSpool(folder, { bytes_max })
  t.after(() => after.close())
  assert.equal(after.log_id, before.log_id)
  assert.equal(after.append(exchange(6)), 6)
  await after.committed()
  assert.equal(after.usage().rows, 1)
})

test('close writes what was appended in the same turn', async (t) => {
  const folder = ownFolder()
  const before = await openSpool(folder, { bytes_max })
  for (let n = 1; n <= 50; n++) before.append(exchange(n))
  await before.close()
  const after = await openSpool(folder, { bytes_max })
  t.after(() => after.close())
  assert.equal(waiting(after).length, 50)
})

test('the count of waiting bytes stays exact over appends, removals and a restart', async (t) => {
  const folder = ownFolder()
  let spool = await openSpool(folder, { bytes_max })
  for (let n = 1; n <= 30; n++) spool.append(exchange(n))
  await spool.committed()
  await spool.settle({ first: 1, last: 12, pieces: [], rejected: [] }, bytes_max, null)
  spool.refresh()
  const expected = waiting(spool).reduce((sum, { bytes }) => sum + bytes, 0)
  assert.deepEqual(spool.usage(), { rows: 18, bytes: expected })
  assert.deepEqual(spool.backlog().waiting, { rows: 18, bytes: expected })
  await spool.close()
  spool = await openSpool(folder, { bytes_max })
  t.after(() => spool.close())
  assert.deepEqual(spool.backlog().waiting, { rows: 18, bytes: expected })
})

test('refused records leave the queue but stay in the spool with the reason, up to their limit', async (t) => {
  const spool = await openSpool(ownFolder(), { bytes_max })
  t.after(() => spool.close())
  for (let n = 1; n <= 4; n++) spool.append(exchange(n))
  await spool.committed()
  const refused = (sequence: number) => ({
    sequence,
    table: 'exchanges' as const,
    error: 'CANNOT_PARSE_UUID',
  })
  const room_for_one = (spool.read(2, 1, 1)[0]?.bytes ?? 0) + 10
  const plan = { first: 1, last: 4, pieces: [], rejected: [refused(2), refused(3)] }
  assert.equal(await spool.settle(plan, room_for_one, null), 1)
  assert.equal(spool.usage().rows, 0)
  const kept = [...spool.rejections()]
  assert.deepEqual(
    kept.map(({ sequence, table, error }) => ({ sequence, table, error })),
    [refused(2)],
  )
  const [{ record } = { record: null }] = kept
  assert.deepEqual(
    readable(record?.kind === 'exchange' ? record.record : null),
    readable({ ...madeUpRecord(2), id: record?.kind === 'exchange' ? record.record.id : '' }),
  )
  assert.equal(spool.rejectedUsage().rows, 1)
})

test('a plan survives a restart until its batch is settled', async (t) => {
  const folder = ownFolder()
  const plan = {
    first: 1,
    last: 2,
    pieces: [{ table: 'frames' as const, first: 1, last: 2 }],
    rejected: [],
  }
  let spool = await openSpool(folder, { bytes_max })
  for (let n = 1; n <= 2; n++) spool.append(exchange(n))
  await spool.committed()
  await spool.savePlan(plan)
  await spool.close()
  spool = await openSpool(folder, { bytes_max })
  t.after(() => spool.close())
  assert.deepEqual(spool.plan(), plan)
  await spool.settle(plan, bytes_max, null)
  assert.equal(spool.plan(), null)
})

test('whatever a killed process was told is on the disk is there, without gaps', async (t) => {
  const folder = ownFolder()
  let acknowledged = 0
  for (let round = 1; round <= 3; round++) {
    const child = spawn(process.execPath, [appender, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => child.kill('SIGKILL'))
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Number(line)
      if (acknowledged >= round * 3_000) break
    }
    child.kill('SIGKILL')
    await once(child, 'exit')
    const spool = await openSpool(folder, { bytes_max })
    const sequences = waiting(spool).map(({ sequence }) => sequence)
    assert.ok(sequences.length >= acknowledged, `${sequences.length} of ${acknowledged} records are there`)
    assert.ok(sequences.every((sequence, at) => sequence === at + 1))
    assert.equal(spool.usage().rows, sequences.length)
    await spool.close()
  }
})

test('a disk that refuses writes is told of, and the records are kept for another attempt', () => {
  // A limit on the size of files is a full disk without filling one.
  const command = `ulimit -f 2048; exec "$0" --disable-warning=ExperimentalWarning "$1" "$2" until-refused`
  const result = spawnSync('bash', ['-c', command, process.execPath, appender, ownFolder()], {
    encoding: 'utf8',
  })
  assert.equal(result.status, 0, result.stderr)
  const { failures, pending_bytes, kept } = JSON.parse(result.stdout.trim().split('\n').at(-1) ?? '')
  assert.ok(failures >= 1)
  assert.ok(pending_bytes > 0)
  assert.ok(kept, 'what was acknowledged before can still be read')
})
