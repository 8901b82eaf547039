import type { ExchangeRecord } from '../audit/exchange_record.ts'
import type { RecordStage, ToWorker } from './messages.ts'

/** What records need of the audit. */
export interface RecordAudit {
  append(record: ExchangeRecord): boolean
  appendOpening(record: ExchangeRecord): boolean
  interrupted(exchange_ids: readonly string[]): void
  durable(): Promise<void>
}

/** Carries records from the workers to the audit, and back to a worker that waits for one that it is on the disk. */
export interface RecordRelay {
  opening(worker: number, record: ExchangeRecord): void
  record(worker: number, record: ExchangeRecord, waits: boolean): void
  /** A worker ended, and the exchanges it had open with it. */
  lost(worker: number): void
}

interface Waiting {
  readonly worker: number
  readonly exchange_id: string
  readonly stage: RecordStage
}

/** @param recorded called with each record that the audit took */
export function relayRecords(
  audit: RecordAudit,
  send: (worker: number, message: Extract<ToWorker, { kind: 'recorded' }>) => void,
  recorded: (record: ExchangeRecord) => void = () => {},
): RecordRelay {
  /** Worker of each exchange that has an opening and no record yet. */
  const open = new Map<string, number>()
  let waiting: Waiting[] = []

  /** One wait for all that came in one message. */
  const awaitDisk = () => {
    const all = waiting
    waiting = []
    void audit.durable().then(() => {
      for (const { worker, ...recorded } of all) send(worker, { kind: 'recorded', ...recorded, kept: true })
    })
  }
  const answer = (worker: number, exchange_id: string, stage: RecordStage, kept: boolean) => {
    if (!kept) send(worker, { kind: 'recorded', exchange_id, stage, kept })
    else if (waiting.push({ worker, exchange_id, stage }) === 1) queueMicrotask(awaitDisk)
  }

  return {
    opening(worker, record) {
      open.set(record.id, worker)
      answer(worker, record.id, 'opening', audit.appendOpening(record))
    },
    record(worker, record, waits) {
      open.delete(record.id)
      const kept = audit.append(record)
      if (waits) answer(worker, record.id, 'whole', kept)
      if (kept) recorded(record)
    },
    lost(worker) {
      const left = [...open].filter(([, holder]) => holder === worker).map(([id]) => id)
      for (const id of left) open.delete(id)
      audit.interrupted(left)
    },
  }
}
