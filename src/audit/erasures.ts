import type { ClickHouse, Row } from './clickhouse_client.ts'
import type { Tampering } from './verify_log.ts'

/** What an administrator's erasure covers: bodies of this person's records from before that time. */
interface Erasure {
  readonly log_id: string
  readonly sequence: number
  readonly subject: string
  /** As ClickHouse writes it: UTC with microseconds. */
  readonly before: string
}

/** How far the check of a log came. */
export interface CheckedLog {
  readonly log_id: string
  readonly first: Tampering | null
  /** Records up to this sequence are in a tree whose head was signed. */
  readonly signed_up_to: number
}

/**
 * The erasures that are recorded, as any record is: with a leaf in a signed tree. Bodies that are gone are accounted for
 * by one that covers them; whether it is genuine is known only when its own log was read.
 */
export class Erasures {
  readonly #recorded: readonly Erasure[]
  /** Erasures whose records are what was sealed, as `log:sequence`. */
  readonly #unchanged = new Set<string>()
  /** First record of each log that needs one of some erasures. */
  readonly #needed = new Map<string, { readonly by: Tampering; readonly of: readonly Erasure[] }>()

  constructor(recorded: readonly Erasure[]) {
    this.#recorded = recorded
  }

  /** Takes note of a record that is what was sealed. */
  unchanged(log_id: string, sequence: number): void {
    this.#unchanged.add(`${log_id}:${sequence}`)
  }

  /** Whether an erasure is recorded that covers this record, genuine or not. */
  cover(row: Row): boolean {
    return this.#covering(row).length > 0
  }

  #covering({ subject: person, started_at }: Row): Erasure[] {
    return this.#recorded.filter(({ subject, before }) => subject === person && String(started_at) < before)
  }

  /** Asks for an erasure that accounts for the erased bodies of a record. `missing`: what to say when none is genuine. */
  need(row: Row, missing: Tampering): void {
    const of = this.#covering(row)
    const key = `${missing.log_id} ${of.map(({ log_id, sequence }) => `${log_id}:${sequence}`).join()}`
    if (!this.#needed.has(key)) this.#needed.set(key, { by: missing, of })
  }

  /** The records whose bodies are gone although no erasure under a signed head covers them. */
  missing(logs: readonly CheckedLog[]): Tampering[] {
    const genuine = ({ log_id, sequence }: Erasure): boolean => {
      const log = logs.find((one) => one.log_id === log_id)
      if (log === undefined) return false
      // Nobody read on behind the first tampering, which is told anyway.
      if (log.first !== null && sequence > log.first.up_to) return true
      return sequence <= log.signed_up_to && this.#unchanged.has(`${log_id}:${sequence}`)
    }
    return [...this.#needed.values()].filter(({ of }) => !of.some(genuine)).map(({ by }) => by)
  }
}

export async function readErasures(clickhouse: ClickHouse): Promise<Erasures> {
  const rows = await clickhouse.rows<{ log_id: string; sequence: string; target: string; before: string }>(
    `SELECT log_id, sequence, target, JSONExtractString(detail, 'before') AS before
     FROM ${clickhouse.database}.admin_changes AS a WHERE a.action = 'audit.erase'`,
  )
  return new Erasures(
    rows.map(({ log_id, sequence, target, before }) => ({
      log_id,
      sequence: Number(sequence),
      subject: target,
      before,
    })),
  )
}
