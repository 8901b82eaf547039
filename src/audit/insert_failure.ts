import { clickHouseErrorOf } from './clickhouse_client.ts'

/**
 * Why an insert failed.
 * `row`: ClickHouse cannot take some row of it; smaller inserts find out which.
 * `elsewhere`: the rows have nothing to do with it (network, disk, memory, schema, rights): wait and send it again.
 * `unknown`: ClickHouse's error is in neither list; taken for `elsewhere` until it has happened often.
 */
export interface InsertFailure {
  readonly kind: 'row' | 'elsewhere' | 'unknown'
  /** ClickHouse's error type, or the system's error code. Never a message: ClickHouse quotes rows in its messages. */
  readonly error: string
}

/** Error types that are about values. Source: `ErrorCodes.cpp` of ClickHouse. */
const about_rows = new Set([
  'ARGUMENT_OUT_OF_BOUND',
  'CANNOT_CONVERT_TYPE',
  'CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN',
  'CANNOT_PARSE_BOOL',
  'CANNOT_PARSE_DATE',
  'CANNOT_PARSE_DATETIME',
  'CANNOT_PARSE_ESCAPE_SEQUENCE',
  'CANNOT_PARSE_INPUT_ASSERTION_FAILED',
  'CANNOT_PARSE_NUMBER',
  'CANNOT_PARSE_QUOTED_STRING',
  'CANNOT_PARSE_TEXT',
  'CANNOT_PARSE_UUID',
  'CANNOT_READ_ARRAY_FROM_TEXT',
  'DECIMAL_OVERFLOW',
  'INCORRECT_DATA',
  'TOO_LARGE_ARRAY_SIZE',
  'TOO_LARGE_STRING_SIZE',
  'TYPE_MISMATCH',
  'UNKNOWN_ELEMENT_OF_ENUM',
  'VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE',
  'VIOLATED_CONSTRAINT',
])

/** Error types that are about the server, the schema or the account. */
const about_the_server = new Set([
  'ABORTED',
  'ACCESS_DENIED',
  'ALL_CONNECTION_TRIES_FAILED',
  'AUTHENTICATION_FAILED',
  'CANNOT_ALLOCATE_MEMORY',
  'CANNOT_SCHEDULE_TASK',
  'CANNOT_WRITE_TO_FILE_DESCRIPTOR',
  'KEEPER_EXCEPTION',
  'MEMORY_LIMIT_EXCEEDED',
  'NETWORK_ERROR',
  'NOT_ENOUGH_SPACE',
  'NOT_INITIALIZED',
  'NO_SUCH_COLUMN_IN_TABLE',
  'QUERY_WAS_CANCELLED',
  'QUOTA_EXCEEDED',
  'READONLY',
  'SOCKET_TIMEOUT',
  'TABLE_IS_READ_ONLY',
  'TIMEOUT_EXCEEDED',
  'TOO_FEW_LIVE_REPLICAS',
  'TOO_MANY_PARTS',
  'TOO_MANY_SIMULTANEOUS_QUERIES',
  'TOO_SLOW',
  'UNKNOWN_DATABASE',
  'UNKNOWN_IDENTIFIER',
  'UNKNOWN_SETTING',
  'UNKNOWN_STATUS_OF_INSERT',
  'UNKNOWN_TABLE',
  'UNKNOWN_USER',
  'WRONG_PASSWORD',
])

export function insertFailure(error: unknown): InsertFailure {
  const refused = clickHouseErrorOf(error)
  if (refused === null) return { kind: 'elsewhere', error: systemCode(error) }
  const { type } = refused
  if (about_rows.has(type)) return { kind: 'row', error: type }
  return { kind: about_the_server.has(type) ? 'elsewhere' : 'unknown', error: type }
}

/** `ECONNREFUSED` and the like; a timeout of the client has only a name. */
function systemCode(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN'
  const { code } = error as NodeJS.ErrnoException
  if (typeof code === 'string') return code
  return /timeout/i.test(error.message) ? 'TIMEOUT' : error.name
}
