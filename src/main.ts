import { join } from 'node:path'
import { type Ledger, openLedger } from './approval/ledger.ts'
import { type Audit, openAudit } from './audit/audit.ts'
import type { Config } from './config/config.ts'
import { type ConnectionRegister, openConnections } from './config/connection_register.ts'
import { openDataFolder } from './config/data_folder.ts'
import { limits } from './config/limits.ts'
import { type PolicyPublisher, publishPolicy } from './config/publish_policy.ts'
import { restartOnlyChanges } from './config/restart_only_changes.ts'
import { watchFiles } from './config/watch_config.ts'
import { openNotifier } from './control/notifier.ts'
import { startControl } from './control/server.ts'
import type { Log } from './log.ts'
import { type ApiKeyRegister, openApiKeys } from './identity/api_key_register.ts'
import { createMetrics, type Metrics } from './metrics/metrics.ts'
import { openTextTrial } from './scanner/text_trial.ts'
import type { Store } from './state/store.ts'
import { agreeOnKey, openStore } from './state/open_store.ts'
import { shareUse } from './state/share_use.ts'
import { type HoldRelay, relayHolds } from './threads/relay_holds.ts'
import { type RecordRelay, relayRecords } from './threads/relay_records.ts'
import { listenablePort } from './threads/listenable_port.ts'
import type { ToWorker } from './threads/messages.ts'
import { SharedCounts, sharedCountsMemory } from './threads/shared_counts.ts'
import { spawnWorkers, type Workers, type WorkersOptions } from './threads/spawn_workers.ts'

/** A running gateway. */
export interface Gateway {
  readonly proxy_port: number
  readonly control_port: number
  /** Resolves with the reason when the gateway cannot go on by itself; it must then be stopped. */
  readonly hopeless: Promise<string>
  /** Puts another configuration in force without a pause. What cannot change live is logged and left as it was. */
  reload(config: Config): Promise<void>
  /** Lets exchanges end for at most `grace_ms` (default `limits.stop_grace_ms`), then closes everything in order. */
  stop(grace_ms?: number): Promise<void>
}

/**
 * Starts a gateway: opens what is on disk, fetches the issuers' keys, starts the control plane and the proxy workers, and
 * carries the messages between them.
 * @throws {DataFolderError | ListenError | AuditError | StoreError} with a message for the operator; everything opened is closed again.
 */
export async function startGateway(config: Config, log: Log): Promise<Gateway> {
  const closers: Closer[] = []
  try {
    return await wire(config, log, closers)
  } catch (error) {
    await closeAll(closers, 0)
    throw error
  }
}

/** What ends one opened part; called in the reverse order of opening. */
type Closer = (grace_ms: number) => unknown

/** Everything on the control thread that the workers' messages lead to. */
interface Parts {
  readonly config: Config
  readonly log: Log
  readonly audit: Audit
  readonly store: Store
  readonly ledger: Ledger
  readonly policy: PolicyPublisher
  readonly api_keys: ApiKeyRegister
  readonly connections: ConnectionRegister
  /** What changes while the gateway runs. */
  readonly now: { workers: Workers | null; audit_blocked: boolean; stopping: boolean }
}

async function wire(config: Config, log: Log, closers: Closer[]): Promise<Gateway> {
  const { proxy, control } = config.listen
  const proxy_port = await listenablePort(proxy.host, proxy.port)
  await listenablePort(control.host, control.port)
  const parts = await openParts(config, log, closers)
  const { audit, ledger, policy, now } = parts
  const send = (worker: number, message: ToWorker) => now.workers?.send(worker, message)
  const holds = relayHolds(ledger, (worker, outcome) => send(worker, { kind: 'hold_outcome', outcome }), log)
  const metrics = createMetrics({
    connections: () => Object.keys(policy.connections()),
    workers_listening: () => now.workers?.listening() ?? 0,
    approvals_pending: () => ledger.pending(),
    exchanges_held: holds.waiting,
    audit: () => audit.stats(),
  })
  follow(parts)

  const served = await startControl({
    config: withLivePolicy(config, policy),
    ledger,
    audit,
    api_keys: parts.api_keys,
    connections: parts.connections,
    resolvedConnection: (name) => policy.snapshot().connections[name],
    verifier: () => policy.verifier(),
    metrics_text: () => metrics.text(),
    health: () => health(parts),
    text_trial: openTextTrial(() => policy.snapshot().scanner),
    log,
  })
  closers.push(() => served.close())
  const records = relayRecords(
    audit,
    (worker, message) => send(worker, message),
    (record) => served.recorded(record),
  )
  const notifier = await openNotifier({
    store: parts.store,
    ledger,
    hooks: () => policy.config().notify,
    gateway: config.gateway,
    dashboard: () => served.origin,
    log,
  })
  closers.push(() => notifier.close())
  const hopeless = Promise.withResolvers<string>()
  const counts = sharedCountsMemory(config.workers)
  if (config.state !== 'embedded') {
    const shared = await shareUse(parts.store, new SharedCounts(counts, 0))
    closers.push(() => shared.close())
  }
  const workers = startWorkers(parts, proxy_port, { holds, records, metrics, counts }, hopeless.resolve)
  now.workers = workers
  closers.push((grace_ms) => workers.stop(grace_ms))
  await workers.ready

  log.info(
    { proxy: proxy_port, control: served.port, workers: config.workers, policy: policy.snapshot().version },
    'listening',
  )
  return {
    proxy_port,
    control_port: served.port,
    hopeless: hopeless.promise,
    reload: (changed) => reload(parts, changed),
    async stop(grace_ms = limits.stop_grace_ms) {
      if (now.stopping) return
      now.stopping = true
      log.info({ grace_ms }, 'stopping')
      await closeAll(closers, grace_ms)
      log.info({}, 'stopped')
    },
  }
}

/** Opens what is on disk and fetches the issuers' keys. */
async function openParts(config: Config, log: Log, closers: Closer[]): Promise<Parts> {
  const folder = await openDataFolder(config.data)
  closers.push(() => folder.release())
  const store = await openStore(config, folder.path, log)
  closers.push(() => store.close())
  const { clickhouse, retention_days, when_full, signing_key, heads } = config.audit
  const audit = await openAudit({
    folder: join(folder.path, 'audit'),
    clickhouse,
    retention_days,
    when_full,
    seal: { keys_folder: folder.path, private_key: signing_key, ...heads },
    log,
  })
  closers.push(() => audit.close())
  const ledger = await openLedger(store)
  closers.push(() => ledger.close())
  const configured = config.installation_key
  const key =
    config.state === 'embedded'
      ? (configured ?? folder.installation_key)
      : await agreeOnKey(store, configured, folder.installation_key)
  const policy = await publishPolicy(config, key, log)
  closers.push(() => policy.stop())
  const api_keys = await openApiKeys(store)
  closers.push(() => api_keys.close())
  const connections = await openConnections({ store, config: () => policy.config(), env: process.env })
  closers.push(() => connections.close())
  policy.add({ api_keys: api_keys.entries(), connections: connections.connections() })
  api_keys.onChange(() => policy.add({ api_keys: api_keys.entries() }))
  const secrets = watchFiles(() => connections.refresh())
  closers.push(() => secrets.close())
  await secrets.follow(connections.files())
  connections.onChange(() => {
    policy.add({ connections: connections.connections() })
    void secrets.follow(connections.files())
  })
  return {
    config,
    log,
    audit,
    ledger,
    policy,
    api_keys,
    connections,
    store,
    now: { workers: null, audit_blocked: false, stopping: false },
  }
}

/** Passes on what happens on the control thread: to the audit, and to every worker. */
function follow({ log, audit, ledger, policy, now }: Parts): void {
  // Of several gateways, the one that made a change records it.
  ledger.onChange((approval, own) => own && audit.appendApproval(approval))
  ledger.onGrantUsed((approval) => audit.appendApproval(approval))
  audit.onBackpressure((blocked) => {
    log.warn(
      { blocked },
      blocked ? 'the audit is full: new exchanges are refused' : 'the audit has room again',
    )
    now.audit_blocked = blocked
    now.workers?.broadcast({ kind: 'audit_backpressure', blocked })
  })
  policy.onPublish((snapshot) => {
    log.info(
      { policy: snapshot.version, connections: Object.keys(snapshot.connections).length },
      'policy published',
    )
    now.workers?.broadcast({ kind: 'snapshot', snapshot })
  })
}

/** What takes in the workers' messages, and what they count in. */
interface Relays {
  readonly holds: HoldRelay
  readonly records: RecordRelay
  readonly metrics: Metrics
  readonly counts: SharedArrayBuffer
}

function startWorkers(
  { config, log, policy, api_keys, now }: Parts,
  port: number,
  { holds, records, metrics, counts }: Relays,
  onHopeless: (reason: string) => void,
): Workers {
  const onMessage: WorkersOptions['onMessage'] = (worker, message) => {
    if (message.kind === 'record') {
      records.record(worker, message.record, message.waits)
      metrics.record(message.record, message.limited)
    } else if (message.kind === 'opening') records.opening(worker, message.record)
    else if (message.kind === 'hold') holds.hold(worker, message.request)
    else if (message.kind === 'hold_left') holds.left(message.exchange_id)
    else if (message.kind === 'unknown_key') policy.refetchKeys(message.issuer)
    else if (message.kind === 'introspect') {
      const { token_id, token } = message
      void policy
        .introspect(token)
        .then((answer) => now.workers?.send(worker, { kind: 'introspected', token_id, answer }))
    } else if (message.kind === 'keys_used') api_keys.used(message.uses)
    else metrics.worker(worker, message.counters)
  }
  return spawnWorkers({
    count: config.workers,
    host: config.listen.proxy.host,
    port,
    gateway: config.gateway,
    snapshot: () => policy.snapshot(),
    greeting: () => (now.audit_blocked ? [{ kind: 'audit_backpressure', blocked: true }] : []),
    onMessage,
    onLost: (worker) => {
      holds.lost(worker)
      records.lost(worker)
      metrics.workerLost(worker)
    },
    onHopeless,
    counts,
    log,
  })
}

async function reload({ config, log, policy, connections, now }: Parts, changed: Config): Promise<void> {
  if (now.stopping) return
  const waiting = restartOnlyChanges(config, changed)
  if (waiting.length > 0)
    log.warn({ settings: waiting.join(', ') }, 'these settings change only when the gateway is started again')
  await policy.replace(changed)
  // What may be added, and whatever it is added to, may have changed.
  await connections.refresh()
}

/** The configuration as the control plane reads it: roles and connections change with a reload, the rest needs a restart. */
function withLivePolicy(config: Config, policy: PolicyPublisher): Config {
  return {
    ...config,
    get identity() {
      return policy.config().identity
    },
    get connections() {
      return policy.connections()
    },
    get api_connections() {
      return policy.config().api_connections
    },
  }
}

/** What `/healthz` shows: nothing secret, and enough to see what is missing. */
function health({ config, audit, policy, now }: Parts): object {
  const listening = now.workers?.listening() ?? 0
  const issuers = policy.snapshot().issuers.map(({ issuer, jwks }) => ({ issuer, keys: jwks.keys.length }))
  const stats = audit.stats()
  const recording = !now.audit_blocked && stats.clickhouse === 'ready'
  const whole = listening === config.workers && recording && issuers.every(({ keys }) => keys > 0)
  return {
    status: now.stopping ? 'stopping' : listening === 0 ? 'down' : whole ? 'ok' : 'degraded',
    gateway: config.gateway,
    workers: { listening, configured: config.workers },
    policy: policy.snapshot().version,
    issuers,
    audit: { blocked: now.audit_blocked, ...stats },
  }
}

/** Closes in the reverse order of opening. One part that fails to close does not keep the others open. */
async function closeAll(closers: Closer[], grace_ms: number): Promise<void> {
  const failures: unknown[] = []
  for (const close of closers.reverse()) {
    try {
      await close(grace_ms)
    } catch (error) {
      failures.push(error)
    }
  }
  closers.length = 0
  if (failures.length > 0) throw new AggregateError(failures, 'not everything could be closed')
}
