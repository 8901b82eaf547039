import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { ExchangeRecord } from '../audit/exchange_record.ts'
import type { LimitRule } from '../policy/snapshot.ts'

/** Numbers that are read when somebody asks for the metrics. */
export interface MetricSources {
  /** Names of the configured connections; others share one label, so that callers cannot invent series. */
  readonly connections: () => Iterable<string>
  readonly workers_listening: () => number
  readonly approvals_pending: () => number
  readonly exchanges_held: () => number
  readonly audit: () => AuditNumbers
}

export interface AuditNumbers {
  readonly spool_rows: number
  readonly spool_bytes: number
  readonly inserted_rows: number
  readonly failed_batches: number
  readonly dropped: number
}

export interface Metrics {
  /** Counts a finished exchange. @param limited which kind of limit refused it */
  record(record: ExchangeRecord, limited?: LimitRule['kind']): void
  /** Takes in a worker's numbers: totals since it started, whose names end in `_total`, and levels. */
  worker(worker: number, counters: Readonly<Record<string, number>>): void
  /** A worker ended: its totals stay counted, its levels are gone. */
  workerLost(worker: number): void
  /** Prometheus text exposition format, version 0.0.4. */
  text(): Promise<string>
}

/** Different names that workers may come up with. */
const worker_numbers_max = 100
const number_name = /^[a-z][a-z0-9_]{0,63}$/
const duration_s_buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
const microseconds = 1e6

/** The gateway's own metrics, each beginning with `sluice_`, and the process's. */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  addGauges(registry, sources)
  addAuditNumbers(registry, sources.audit)
  const exchanges = exchangeMetrics(registry)
  const rate_limited = new Counter({
    name: 'sluice_rate_limited_total',
    help: 'requests refused with 429, by what was reached: requests, tokens or concurrency',
    labelNames: ['connection', 'reason'],
    registers: [registry],
  })
  const known = (name: string) => [...sources.connections()].includes(name)
  const workers = new WorkerNumbers(registry)

  return {
    record(record, limited) {
      const connection = known(record.connection) ? record.connection : 'unknown'
      exchanges.count(record, connection)
      if (limited !== undefined) rate_limited.inc({ connection, reason: limited })
    },
    worker: (worker, counters) => workers.take(worker, counters),
    workerLost: (worker) => workers.lost(worker),
    text: () => registry.metrics(),
  }
}

/** What all workers counted together, under `sluice_worker_…`. */
class WorkerNumbers {
  readonly #registry: Registry
  readonly #current = new Map<number, Readonly<Record<string, number>>>()
  /** Totals of workers that have ended. */
  readonly #ended: Record<string, number> = {}
  readonly #known = new Set<string>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  take(worker: number, counters: Readonly<Record<string, number>>): void {
    this.#current.set(worker, counters)
    for (const name of Object.keys(counters)) {
      if (this.#known.has(name) || this.#known.size >= worker_numbers_max || !number_name.test(name)) continue
      this.#known.add(name)
      this.#register(name)
    }
  }

  lost(worker: number): void {
    for (const [name, value] of Object.entries(this.#current.get(worker) ?? {})) {
      if (name.endsWith('_total')) this.#ended[name] = (this.#ended[name] ?? 0) + value
    }
    this.#current.delete(worker)
  }

  #sum(name: string): number {
    let sum = this.#ended[name] ?? 0
    for (const counters of this.#current.values()) sum += counters[name] ?? 0
    return sum
  }

  #register(name: string): void {
    const read = () => this.#sum(name)
    const help = `${name.replaceAll('_', ' ')}, over all proxy workers`
    const settings = { name: `sluice_worker_${name}`, help, registers: [this.#registry] }
    if (name.endsWith('_total')) addTotal(settings, read)
    else addGauge(settings, read)
  }
}

interface Named {
  readonly name: string
  readonly help: string
  readonly registers: Registry[]
}

function addGauge(settings: Named, read: () => number): void {
  new Gauge({
    ...settings,
    collect() {
      this.set(read())
    },
  })
}

/** A counter whose total is kept elsewhere. */
function addTotal(settings: Named, read: () => number): void {
  new Counter({
    ...settings,
    collect() {
      this.reset()
      this.inc(read())
    },
  })
}

function addGauges(registry: Registry, sources: MetricSources): void {
  const registers = [registry]
  const gauge = (name: string, help: string, read: () => number) => addGauge({ name, help, registers }, read)
  gauge('sluice_workers_listening', 'proxy workers that serve', sources.workers_listening)
  gauge('sluice_approvals_pending', 'approvals that wait for a person', sources.approvals_pending)
  gauge('sluice_exchanges_held', 'exchanges whose caller waits for an approval', sources.exchanges_held)
  gauge('sluice_audit_spool_rows', 'records that are not in ClickHouse yet', () => sources.audit().spool_rows)
  gauge(
    'sluice_audit_spool_bytes',
    'bytes of records that are not in ClickHouse yet',
    () => sources.audit().spool_bytes,
  )
}

/** Totals that the audit keeps itself, shown as counters. */
function addAuditNumbers(registry: Registry, audit: () => AuditNumbers): void {
  const registers = [registry]
  const total = (name: string, help: string, read: () => number) => addTotal({ name, help, registers }, read)
  total('sluice_audit_inserted_rows_total', 'rows that ClickHouse took', () => audit().inserted_rows)
  total(
    'sluice_audit_failed_batches_total',
    'inserts that failed and are tried again',
    () => audit().failed_batches,
  )
  total('sluice_audit_dropped_total', 'records lost because the spool was full', () => audit().dropped)
}

function exchangeMetrics(registry: Registry) {
  const registers = [registry]
  const exchanges = new Counter({
    name: 'sluice_exchanges_total',
    help: 'finished exchanges',
    labelNames: ['connection', 'outcome', 'code'],
    registers,
  })
  const findings = new Counter({
    name: 'sluice_findings_total',
    help: 'secrets and keywords found',
    labelNames: ['connection', 'direction', 'detector'],
    registers,
  })
  const bytes = new Counter({
    name: 'sluice_body_bytes_total',
    help: 'body bytes received from callers (request) and inference services (response)',
    labelNames: ['connection', 'direction'],
    registers,
  })
  const unscanned = new Counter({
    name: 'sluice_unscanned_bytes_total',
    help: 'body bytes that passed without being scanned',
    labelNames: ['connection', 'direction'],
    registers,
  })
  const duration = new Histogram({
    name: 'sluice_exchange_seconds',
    help: 'whole exchanges, from the first byte to the last',
    labelNames: ['connection'],
    buckets: duration_s_buckets,
    registers,
  })

  return {
    count(record: ExchangeRecord, connection: string): void {
      exchanges.inc({ connection, outcome: record.outcome, code: record.code })
      duration.observe({ connection }, record.timing.total_us / microseconds)
      for (const direction of ['request', 'response'] as const) {
        bytes.inc({ connection, direction }, record[direction].bytes)
        unscanned.inc({ connection, direction }, record[direction].unscanned_bytes)
      }
      for (const { direction, detector } of record.findings) findings.inc({ connection, direction, detector })
    },
  }
}
