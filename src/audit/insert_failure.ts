import { clickHouseErrorOf } from './clickhouse_client.ts'

/**
 * Why an insert failed.
 * `row`: ClickHouse cannot take some row of it; smaller inserts find out which.
 * `elsewhere`: the rows have nothing to do with it (network, disk, memory, schema, rights): wait and send it again.
 * `unknown`: ClickHouse's error is in neither list; taken for `elsewhere` until it has happened often.
 */
export interface InsertFailure {
  readonly kind: 'row' | 'elsewhere' | 'unknown'
  /** ClickHouse's name for the error, or the system's error code. Never a message: ClickHouse quotes rows in them. */
  readonly error: string
}

/** Errors that are about values, by number. Source: `ErrorCodes.cpp` of ClickHouse. */
const about_rows: ReadonlyMap<number, string> = new Map([
  [6, 'CANNOT_PARSE_TEXT'],
  [25, 'CANNOT_PARSE_ESCAPE_SEQUENCE'],
  [26, 'CANNOT_PARSE_QUOTED_STRING'],
  [27, 'CANNOT_PARSE_INPUT_ASSERTION_FAILED'],
  [38, 'CANNOT_PARSE_DATE'],
  [41, 'CANNOT_PARSE_DATETIME'],
  [53, 'TYPE_MISMATCH'],
  [69, 'ARGUMENT_OUT_OF_BOUND'],
  [70, 'CANNOT_CONVERT_TYPE'],
  [72, 'CANNOT_PARSE_NUMBER'],
  [117, 'INCORRECT_DATA'],
  [128, 'TOO_LARGE_ARRAY_SIZE'],
  [130, 'CANNOT_READ_ARRAY_FROM_TEXT'],
  [131, 'TOO_LARGE_STRING_SIZE'],
  [321, 'VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE'],
  [349, 'CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN'],
  [376, 'CANNOT_PARSE_UUID'],
  [407, 'DECIMAL_OVERFLOW'],
  [467, 'CANNOT_PARSE_BOOL'],
  [469, 'VIOLATED_CONSTRAINT'],
  [691, 'UNKNOWN_ELEMENT_OF_ENUM'],
])

/** Errors that are about the server, the schema or the account. */
const about_the_server: ReadonlyMap<number, string> = new Map([
  [16, 'NO_SUCH_COLUMN_IN_TABLE'],
  [47, 'UNKNOWN_IDENTIFIER'],
  [60, 'UNKNOWN_TABLE'],
  [75, 'CANNOT_WRITE_TO_FILE_DESCRIPTOR'],
  [76, 'CANNOT_OPEN_FILE'],
  [81, 'UNKNOWN_DATABASE'],
  [115, 'UNKNOWN_SETTING'],
  [159, 'TIMEOUT_EXCEEDED'],
  [160, 'TOO_SLOW'],
  [164, 'READONLY'],
  [173, 'CANNOT_ALLOCATE_MEMORY'],
  [192, 'UNKNOWN_USER'],
  [193, 'WRONG_PASSWORD'],
  [201, 'QUOTA_EXCEEDED'],
  [202, 'TOO_MANY_SIMULTANEOUS_QUERIES'],
  [209, 'SOCKET_TIMEOUT'],
  [210, 'NETWORK_ERROR'],
  [236, 'ABORTED'],
  [241, 'MEMORY_LIMIT_EXCEEDED'],
  [242, 'TABLE_IS_READ_ONLY'],
  [243, 'NOT_ENOUGH_SPACE'],
  [252, 'TOO_MANY_PARTS'],
  [279, 'ALL_CONNECTION_TRIES_FAILED'],
  [285, 'TOO_FEW_LIVE_REPLICAS'],
  [319, 'UNKNOWN_STATUS_OF_INSERT'],
  [394, 'QUERY_WAS_CANCELLED'],
  [439, 'CANNOT_SCHEDULE_TASK'],
  [473, 'DEADLOCK_AVOIDED'],
  [497, 'ACCESS_DENIED'],
  [516, 'AUTHENTICATION_FAILED'],
  [565, 'TOO_MANY_PARTITIONS'],
  [667, 'NOT_INITIALIZED'],
  [745, 'SERVER_OVERLOADED'],
  [999, 'KEEPER_EXCEPTION'],
])

export function insertFailure(error: unknown): InsertFailure {
  const refused = clickHouseErrorOf(error)
  if (refused === null) return { kind: 'elsewhere', error: systemCode(error) }
  const row_error = about_rows.get(refused.code)
  if (row_error !== undefined) return { kind: 'row', error: row_error }
  const server_error = about_the_server.get(refused.code)
  if (server_error !== undefined) return { kind: 'elsewhere', error: server_error }
  return { kind: 'unknown', error: `CODE_${refused.code}` }
}

/** `ECONNREFUSED` and the like; a timeout of the client has only a name. */
function systemCode(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN'
  const { code } = error as NodeJS.ErrnoException
  if (typeof code === 'string') return code
  return /timeout/i.test(error.message) ? 'TIMEOUT' : error.name
}
