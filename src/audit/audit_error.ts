/** What can go wrong with the audit, as a stable code. */
export type AuditErrorCode =
  /** Another process holds the spool. */
  | 'spool_in_use'
  /** The spool cannot be opened or read. */
  | 'spool_failed'
  /** ClickHouse cannot be reached or does not answer; records wait in the spool. */
  | 'clickhouse_unavailable'
  /** A migration that was applied before differs from the one in this release. */
  | 'migration_changed'
  /** The database was migrated by a later release. */
  | 'schema_newer'
  /** The statement is not a plain SELECT over the audit. */
  | 'query_refused'
  /** ClickHouse rejected the statement. */
  | 'query_failed'
  /** The result is larger than the limit. */
  | 'query_too_large'
  /** Too many queries wait already. */
  | 'busy'
  /** The key that signs tree heads cannot be read, or is none. */
  | 'signing_key'
  | 'closed'

/** An operational failure of the audit. The message never holds recorded bytes or credentials. */
export class AuditError extends Error {
  readonly code: AuditErrorCode

  constructor(code: AuditErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'AuditError'
    this.code = code
  }
}
