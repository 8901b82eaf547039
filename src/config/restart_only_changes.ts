import { isDeepStrictEqual } from 'node:util'
import type { Config } from './config.ts'

/** Settings that are read once, when the gateway starts. */
const restart_only: Readonly<Record<string, (config: Config) => unknown>> = {
  gateway: (config) => config.gateway,
  'listen.proxy': (config) => config.listen.proxy,
  'listen.control': (config) => config.listen.control,
  data: (config) => config.data,
  workers: (config) => config.workers,
  log: (config) => config.log,
  'identity.dashboard': (config) => config.identity.dashboard,
  'audit.clickhouse': (config) => config.audit.clickhouse,
  'audit.retention': (config) => config.audit.retention_days,
  'audit.when_full': (config) => config.audit.when_full,
  'audit.signing_key': (config) => config.audit.signing_key,
  'audit.heads': (config) => config.audit.heads,
  state: (config) => config.state,
  nats: (config) => config.nats,
  installation_key: (config) => config.installation_key,
}

/** Names of the settings that differ between two configurations and take effect only at the next start. */
export function restartOnlyChanges(before: Config, after: Config): string[] {
  return Object.entries(restart_only)
    .filter(([, read]) => !isDeepStrictEqual(read(before), read(after)))
    .map(([name]) => name)
}
