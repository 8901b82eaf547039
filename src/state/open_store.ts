import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import { openLmdbStore } from './lmdb_store.ts'
import { openNatsStore } from './nats_store.ts'
import type { Store } from './store.ts'
import { StoreError } from './store_error.ts'

interface Log {
  warn(fields: Readonly<Record<string, string | number>>, message: string): void
  info(fields: Readonly<Record<string, string | number>>, message: string): void
}

/** The state store that the configuration names: in the data folder, or the one that several gateways share. @throws StoreError */
export async function openStore({ state, nats }: Config, folder: string, log: Log): Promise<Store> {
  if (state === 'embedded') return openLmdbStore(join(folder, 'state'))
  return openNatsStore({ ...nats, servers: state.split(',').map((one) => one.trim()) }, log)
}

/** What the gateways that share a store know of each other's key. */
interface Agreed {
  /** Tells keys apart without telling them. */
  readonly digest: string
  /** Null: every gateway is configured with it. */
  readonly key: Uint8Array | null
}

const at = 'installation/key'

/**
 * The key of the installation: fingerprints and the bindings of approvals made by one gateway must mean the same to another.
 * A configured key never goes into the store, only a digest, so that a gateway with another one does not start. Without a
 * configured key the store decides: what the first gateway brought is everybody's.
 * @param own the data folder's
 * @throws StoreError `open_failed` when the gateways' keys differ
 */
export async function agreeOnKey(
  store: Store,
  configured: Uint8Array | null,
  own: Uint8Array,
): Promise<Uint8Array> {
  const key = configured ?? own
  const mine: Agreed = { digest: digestOf(key), key: configured === null ? own : null }
  await store.put(at, mine, 0)
  const agreed = (await store.get(at))?.value as Agreed | undefined
  if (agreed?.digest === mine.digest) return key
  if (configured !== null)
    throw new StoreError(
      'open_failed',
      'installation_key differs from that of the other gateways; use one for all',
    )
  if (agreed?.key) return Uint8Array.from(agreed.key)
  throw new StoreError(
    'open_failed',
    'the other gateways have an installation_key in their configuration; set it here too',
  )
}

function digestOf(key: Uint8Array): string {
  return createHmac('sha256', key).update('which key this is').digest('hex')
}
