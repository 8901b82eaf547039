import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Approval, HoldOutcome } from '../../src/approval/approval.ts'
import { type Ledger, openLedger } from '../../src/approval/ledger.ts'
import { previewDigest } from '../../src/approval/preview_digest.ts'
import type { Principal } from '../../src/policy/principal.ts'
import { openLmdbStore } from '../../src/state/lmdb_store.ts'
import type { Store } from '../../src/state/store.ts'

/** A folder of this test file's own, removed at its end. */
export const folder = await mkdtemp(join(tmpdir(), 'sluice-ledger-'))
after(() => rm(folder, { recursive: true, force: true }))

let stores = 0

/** A ledger on a real store, with everything it tells. */
export interface Desk {
  readonly store: Store
  readonly ledger: Ledger
  readonly outcomes: HoldOutcome[]
  readonly changes: Approval[]
  /** Closes the ledger, and the store when it was made for this desk. */
  end(): Promise<void>
}

export async function openDesk(store?: Store, now?: () => number): Promise<Desk> {
  const own = store ?? (await openLmdbStore(join(folder, `ledger-${stores++}`)))
  const ledger = await openLedger(own, { now })
  const outcomes: HoldOutcome[] = []
  const changes: Approval[] = []
  ledger.onOutcome((outcome) => outcomes.push(outcome))
  ledger.onChange((approval) => changes.push(approval))
  const end = async () => {
    await ledger.close()
    if (!store) await own.close()
  }
  return { store: own, ledger, outcomes, changes, end }
}

/** Decides with the digest of what is stored, as somebody who looked at it. */
export async function decide(
  ledger: Ledger,
  id: string,
  who: Principal,
  decision: 'approve' | 'deny',
  reason = '',
): Promise<Approval> {
  const approval = await ledger.get(id)
  assert.ok(approval)
  return ledger.decide(id, who, decision, reason, previewDigest(approval.preview))
}

/** Waits at most 30 s. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 30_000
  while (!condition()) {
    assert.ok(performance.now() < deadline, `waited in vain until ${what}`)
    await delay(5)
  }
}
