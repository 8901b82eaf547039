import { mkdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { limits } from '../config/limits.ts'
import type { Log } from '../log.ts'
import { AuditError } from './audit_error.ts'
import { type ClickHouse, clickHouseErrorOf, openClickHouse } from './clickhouse_client.ts'
import { type ErasureScope, eraseBodies } from './erase_bodies.ts'
import { exportEvidence } from './evidence.ts'
import { takeLock } from './exclusive_lock.ts'
import { type HeadPublisher, startHeadPublisher } from './head_publisher.ts'
import { insertFailure } from './insert_failure.ts'
import { migrate, readMigrations } from './migrate.ts'
import type { Ask, FromAudit, OpenFailure, OpenMessage, ToAudit } from './process_messages.ts'
import { readExchange, readExchanges, readFrames } from './read_exchanges.ts'
import { readQuery, readRows } from './read_query.ts'
import { openSpool, type Spool } from './spool.ts'
import { Turns } from './turns.ts'
import { verifyLogs } from './verify_log.ts'
import { startWriter, type Writer } from './writer.ts'

/**
 * Entry of the audit process: it takes records out of the spool into ClickHouse and answers questions about them.
 *
 * A process and not a thread of the gateway, because the embedded engine takes over the process's SIGSEGV handler, and
 * V8 needs its own: with the engine loaded, an out-of-bounds access in WebAssembly ends the process instead of
 * throwing. Apart from that, the engine's memory, crashes and thread pool stay away from the data plane. It needs no
 * care at the end: the spool and ClickHouse's tables stand being killed at any moment.
 */

const lock_wait_ms = 15_000
/** Longer than a slow insert takes. */
const batch_wait_ms = 15_000
const result_part_bytes = 256 * 1024
/** Refusals that time does not heal. */
const final_codes: readonly string[] = ['migration_changed', 'schema_newer']

let clickhouse: ClickHouse | null = null
let writer: Writer | null = null
let heads: HeadPublisher | null = null
let seal: (OpenMessage & { readonly spool: Spool }) | null = null
let queries: Promise<unknown> = Promise.resolve()
let queries_waiting = 0
const reads = new Turns(limits.audit_reads_at_once_max, limits.audit_reads_waiting_max)

const log: Log = {
  info: (fields, message) => send({ kind: 'log', level: 'info', fields, message }),
  warn: (fields, message) => send({ kind: 'log', level: 'warn', fields, message }),
  error: (fields, message) => send({ kind: 'log', level: 'error', fields, message }),
}

// The gateway decides when to end: Ctrl-C in a terminal reaches this process as well.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
// The gateway is gone, however that came. Nothing here may outlive it, not even a query in the engine.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.on('message', (message: ToAudit) => void receive(message))

async function receive(message: ToAudit): Promise<void> {
  switch (message.kind) {
    case 'open':
      return await openAll(message)
    case 'wake':
      return writer?.wake()
    case 'hurry':
      return writer?.hurry(message.up_to)
    case 'ask':
      return await answer(message.id, message.ask)
    case 'close':
      await writer?.stop()
      await heads?.stop()
      await clickhouse?.close()
      process.disconnect()
  }
}

/** Opens the spool and ClickHouse, trying again until ClickHouse is there. */
async function openAll(message: OpenMessage): Promise<void> {
  try {
    const { place } = message
    await mkdir(message.spool_folder, { recursive: true, mode: 0o700 })
    // The audit process of a killed gateway may still be on its way out.
    await takeLock(message.spool_folder, 'writer', lock_wait_ms)
    const spool = await openSpool(message.spool_folder, { bytes_max: message.spool_bytes_max })
    if ('path' in place) await mkdir(place.path, { recursive: true, mode: 0o700 })
    const opened = openClickHouse(place, message.tuning.insert_ms_max)
    await migrateWhenThere(opened, message)
    clickhouse = opened
    writer = startWriter({
      ...message.tuning,
      spool,
      clickhouse,
      log,
      progress: (progress) => {
        send({ kind: 'progress', progress })
        heads?.grown()
      },
    })
    heads = startHeadPublisher({ ...message.heads, spool, clickhouse, log })
    seal = { ...message, spool }
    send({ kind: 'ready' })
  } catch (error) {
    send({ kind: 'not_ready', failure: failureOf(error), final: true })
  }
}

async function migrateWhenThere(opened: ClickHouse, message: OpenMessage): Promise<void> {
  const migrations = await readMigrations()
  for (let attempt = 0; ; attempt++) {
    try {
      return await migrate(opened, message.retention_days, migrations)
    } catch (error) {
      const failure = failureOf(error)
      if (opened.embedded || final_codes.includes(failure.code)) throw error
      send({ kind: 'not_ready', failure, final: false })
    }
    const { retry_ms_min = limits.audit_retry_ms_min, retry_ms_max = limits.audit_retry_ms_max } =
      message.tuning
    await sleep(Math.min(retry_ms_max, retry_ms_min * 2 ** Math.min(attempt, 20)))
  }
}

async function answer(id: number, ask: Ask): Promise<void> {
  try {
    if (clickhouse === null)
      throw new AuditError('clickhouse_unavailable', 'ClickHouse is not there yet; try again')
    await answerParts(clickhouse, id, ask)
    await sent({ kind: 'done', id })
  } catch (error) {
    send({ kind: 'refused', id, failure: failureOf(error) })
  }
}

async function answerParts(opened: ClickHouse, id: number, ask: Ask): Promise<void> {
  const part = (value: unknown) => sent({ kind: 'part', id, value })
  if (ask.what === 'query') {
    await inParts(await oneAtATime(() => readQuery(opened, ask.sql, ask.format)), part)
  } else if (ask.what === 'read') {
    await inParts(await reads.run(() => readRows(opened, ask.sql, ask.parameters)), part)
  } else if (ask.what === 'verify') await part(await verify(opened))
  else if (ask.what === 'erase') await part(await erase(opened, ask.scope))
  else if (ask.what === 'evidence') await part(await evidence(opened, ask.id))
  else if (ask.what === 'exchanges') await part(await readExchanges(opened, ask.filter))
  else {
    const exchange = await readExchange(opened, ask.id)
    if (exchange === null) return
    await part(exchange)
    for await (const frames of readFrames(opened, exchange)) await part(frames)
  }
}

async function verify(opened: ClickHouse): Promise<unknown> {
  if (seal === null) throw new AuditError('clickhouse_unavailable', 'the audit is not ready yet; try again')
  const { spool, public_keys, retention_days } = seal
  await heads?.now()
  return await verifyLogs({
    clickhouse: opened,
    public_keys,
    retention_days,
    heads_file: seal.heads.file,
    own: {
      log_id: spool.log_id,
      sequence: spool.plan()?.last ?? spool.removed(),
      settled: () => batchSettled(spool),
    },
    now_ms: Date.now(),
  })
}

/** Until the batch under way is in ClickHouse, if that comes to be. */
async function batchSettled(spool: Spool): Promise<void> {
  const last = spool.plan()?.last ?? 0
  const deadline = performance.now() + batch_wait_ms
  while (spool.removed() < last && performance.now() < deadline) await sleep(20)
}

async function erase(opened: ClickHouse, scope: ErasureScope): Promise<unknown> {
  const erased = await eraseBodies(opened, scope)
  // From here on what was erased is accounted for by a signed head.
  await heads?.now()
  return erased
}

async function evidence(opened: ClickHouse, id: string): Promise<unknown> {
  const head = await heads?.now()
  const public_key = seal?.public_keys.get(head?.key_id ?? '')
  if (!head || public_key === undefined) return null
  return await exportEvidence(opened, id, head, public_key)
}

async function inParts(result: Uint8Array, part: (value: unknown) => Promise<void>): Promise<void> {
  for (let at = 0; at < result.length; at += result_part_bytes) {
    await part(result.subarray(at, at + result_part_bytes))
  }
}

/** Analysts' queries run one after the other: a heavy one must not take the machine from the gateway beside it. */
async function oneAtATime<T>(run: () => Promise<T>): Promise<T> {
  if (queries_waiting >= limits.audit_queries_waiting_max) {
    throw new AuditError('busy', 'too many queries are waiting; try again later')
  }
  queries_waiting++
  const turn = queries.then(run).finally(() => {
    queries_waiting--
  })
  queries = turn.catch(() => {})
  return await turn
}

/** What may be told of an error. ClickHouse's own messages can quote rows, so only its type leaves. */
function failureOf(error: unknown): OpenFailure {
  if (error instanceof AuditError) return { code: error.code, message: error.message }
  const { error: type } = insertFailure(error)
  const from = clickHouseErrorOf(error) === null ? 'ClickHouse does not answer' : 'ClickHouse refuses'
  return { code: 'clickhouse_unavailable', message: `${from}: ${type}` }
}

function send(message: FromAudit): void {
  if (process.connected) process.send?.(message)
}

/** Sends and waits until the pipe took it, so that a large answer is not in memory twice. */
function sent(message: FromAudit): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => resolve())
    else resolve()
  })
}
