import assert from 'node:assert'
import { createHash, createHmac } from 'node:crypto'
import type {
  ApiKeyEntry,
  Connection,
  Snapshot,
  TrustedIssuer,
  UpstreamCredential,
} from '../policy/snapshot.ts'
import { canonicalJson } from './canonical_json.ts'
import type { Config } from './config.ts'
import { deepFreeze } from './deep_freeze.ts'
import { publicIssuer } from './public_issuer.ts'

/** What is in force beside the configuration: it comes from the state store. */
export interface PolicyAdditions {
  readonly api_keys: readonly ApiKeyEntry[]
  /** Added on the control plane, by name; none of a name that the configuration has. */
  readonly connections: Readonly<Record<string, Connection>>
}

/** Nothing beside the configuration. */
export const no_additions: PolicyAdditions = { api_keys: [], connections: {} }

/**
 * What the data plane decides by, made from the configuration and the issuers' current keys.
 * @param fingerprint_key the installation's, 32 bytes.
 * @returns a frozen snapshot. Its version depends on the policy alone: not on the issuers' keys, which rotate, and on
 *   upstream credentials only through a keyed digest.
 */
export function buildSnapshot(
  config: Config,
  trusted: readonly TrustedIssuer[],
  fingerprint_key: Uint8Array,
  additions: PolicyAdditions = no_additions,
  resolve: (credential: UpstreamCredential | null) => UpstreamCredential | null = (credential) => credential,
): Snapshot {
  assert(fingerprint_key.length === 32)
  const connections = { ...additions.connections, ...config.connections }
  const scanner = {
    mode: config.detectors.entropy === 'strict' ? 'strict' : 'balanced',
    entropy: config.detectors.entropy !== 'off',
    keywords: keywordsOf(connections),
    rules: config.detectors.rules,
  } as const
  const policy = {
    connections: inOrder(connections).map((connection) => withDigest(connection, fingerprint_key)),
    issuers: config.identity.issuers.map(publicIssuer),
    scanner,
    known_secrets: config.detectors.known_secrets.map((value) =>
      createHmac('sha256', fingerprint_key).update(value).digest('hex'),
    ),
  }
  return deepFreeze({
    version: createHash('sha256').update(canonicalJson(policy)).digest('hex'),
    // Copies, because freezing must not reach into the configuration.
    connections: Object.fromEntries(
      Object.entries(connections).map(([name, connection]) => [
        name,
        structuredClone({ ...connection, credential: resolve(connection.credential) }),
      ]),
    ),
    issuers: structuredClone(trusted),
    api_keys: structuredClone(additions.api_keys),
    scanner: {
      ...scanner,
      rules: structuredClone(scanner.rules),
      known_secrets: [...config.detectors.known_secrets],
      fingerprint_key: Uint8Array.from(fingerprint_key),
    },
    audit: {
      strict: config.audit.strict,
      guarantee: config.audit.strict ? 'answered' : config.audit.guarantee,
      body_bytes_max: config.audit.body_bytes_max,
    },
  })
}

/** Every keyword of every approve rule, lower case, sorted, once. */
function keywordsOf(connections: Config['connections']): string[] {
  const rules = Object.values(connections).flatMap((connection) => connection.approve)
  return [...new Set(rules.flatMap((rule) => rule.keywords ?? []).map((word) => word.toLowerCase()))].sort()
}

/** By name, so that the version does not depend on what was added when. */
function inOrder(connections: Config['connections']): Connection[] {
  return Object.values(connections).sort((a, b) => (a.name < b.name ? -1 : 1))
}

function withDigest(connection: Connection, key: Uint8Array): object {
  const { credential } = connection
  if (!credential) return connection
  const digest = createHmac('sha256', key).update(canonicalJson(credential)).digest('hex')
  return { ...connection, credential: digest }
}
