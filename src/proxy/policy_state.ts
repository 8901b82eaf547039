import { isDeepStrictEqual } from 'node:util'
import { limits } from '../config/limits.ts'
import { ApiKeyTable } from '../identity/api_key_table.ts'
import { TokenCache } from '../identity/token_cache.ts'
import { createTokenVerifier, type TokenVerifier } from '../identity/verify_token.ts'
import type { Connection, Snapshot } from '../policy/snapshot.ts'
import { createScanners, type Scanners } from '../wire/scanners.ts'
import { TextMasker } from '../wire/text_masker.ts'
import { type Target, targetOf } from './target.ts'

/** A connection with what is computed once for all its requests. */
export interface PreparedConnection {
  readonly connection: Connection
  readonly target: Target
}

/** A snapshot with everything that was made from it. An exchange keeps the one it began with to its end. */
export interface PolicyState {
  readonly snapshot: Snapshot
  readonly connections: ReadonlyMap<string, PreparedConnection>
  readonly verifier: TokenVerifier
  readonly api_keys: ApiKeyTable
  /** Whether opaque tokens can be asked about, and what was answered lately. */
  readonly introspects: boolean
  readonly introspected: TokenCache
  readonly scanners: Scanners
  readonly masker: TextMasker
}

/** Keeps from `before` what the snapshot leaves as it was: the scanners, and the verified tokens. */
export async function preparePolicy(snapshot: Snapshot, before: PolicyState | null): Promise<PolicyState> {
  const connections = new Map<string, PreparedConnection>()
  for (const connection of Object.values(snapshot.connections)) {
    connections.set(connection.name, { connection, target: targetOf(connection) })
  }
  const same_scanner = before !== null && isDeepStrictEqual(before.snapshot.scanner, snapshot.scanner)
  const same_issuers = before !== null && isDeepStrictEqual(before.snapshot.issuers, snapshot.issuers)
  const same_keys = before !== null && isDeepStrictEqual(before.snapshot.api_keys, snapshot.api_keys)
  const scanners = same_scanner ? before.scanners : await createScanners(snapshot.scanner)
  return {
    snapshot,
    connections,
    verifier: same_issuers ? before.verifier : createTokenVerifier(snapshot.issuers),
    introspects: snapshot.issuers.some((issuer) => issuer.introspects === true),
    introspected: same_issuers ? before.introspected : new TokenCache(limits.token_cache_entries_max),
    api_keys: same_keys ? before.api_keys : new ApiKeyTable(snapshot.api_keys),
    scanners,
    masker: same_scanner ? before.masker : new TextMasker(scanners.text, limits),
  }
}
