import {
  type ClickHouseClient,
  ClickHouseLogLevel,
  type ClickHouseSettings,
  createClient,
} from '@clickhouse/client'
import { createChdbConnection } from 'chdb/connection'
import { limits } from '../config/limits.ts'
import { AuditError } from './audit_error.ts'
import type { AuditTable } from './batch_plan.ts'

/** A ClickHouse server. */
export interface ClickHouseServer {
  readonly url: string
  readonly database: string
  readonly username: string
  readonly password: string
}

/** Where the audit is kept: a server, or the engine in this process with its data in `path`. */
export type ClickHousePlace = { readonly server: ClickHouseServer } | { readonly path: string }

/** Every table of the audit. */
export type OwnTable = AuditTable | 'schema_migrations' | 'tree_heads'

export type Row = Readonly<Record<string, unknown>>
export type QueryParameters = Readonly<Record<string, string | number | readonly string[]>>

/** Everything that the audit asks of ClickHouse, the same for a server and for the embedded engine. */
export interface ClickHouse {
  /** Database with the audit's tables. */
  readonly database: string
  readonly embedded: boolean
  /** Runs DDL. */
  command(sql: string): Promise<void>
  /** Inserts rows in one block. An insert with a token that was used before for this table adds nothing. */
  insert(table: OwnTable, rows: readonly Row[], token: string): Promise<void>
  /** Runs a query of the gateway's own, values bound as parameters. */
  rows<T>(sql: string, parameters?: QueryParameters): Promise<T[]>
  /** Runs one statement where nothing can be written or changed, within time, memory and size. */
  readOnly(sql: string, format: string, parameters?: QueryParameters): Promise<Uint8Array>
  close(): Promise<void>
}

/**
 * `error` as ClickHouse's own, or null when it came from the way there. Told by its shape, because the embedded engine's
 * package throws its own copy of the class. Its `type` is of no use: it is cut out of a message that quotes statements
 * and rows. So is the message, except for whoever wrote the statement.
 */
export function clickHouseErrorOf(
  error: unknown,
): { readonly code: number; readonly message: string } | null {
  if (!(error instanceof Error)) return null
  const { code, message } = error as Error & { code?: unknown }
  return typeof code === 'string' && /^\d+$/.test(code) ? { code: Number(code), message } : null
}

/** Columns of an insert, where the rows do not simply name all that they fill. */
const columns: Partial<Record<AuditTable, [string, ...string[]]>> = {
  frames: ['exchange_id', 'started_at', 'sequence', 'direction', 'offset_us', 'salt', 'bytes_base64'],
}

/** One insert is one block, or the token of its second block would depend on how it was cut. */
const insert_settings: ClickHouseSettings = {
  async_insert: 0,
  insert_deduplicate: 1,
  // By default the last digit of a number may be off; then its record would not hash to its leaf.
  precise_float_parsing: 1,
  max_insert_block_size: '10000000',
  min_insert_block_size_rows: '10000000',
  min_insert_block_size_bytes: '4294967296',
}

/** The client would print ClickHouse's messages, which quote rows. */
const log = { level: ClickHouseLogLevel.OFF }

/** What holds for an analyst's statement. `readonly` comes last: from then on no setting can be changed. */
const read_settings = {
  max_execution_time: limits.audit_query_ms_max / 1000,
  timeout_overflow_mode: 'throw',
  max_memory_usage: String(limits.audit_query_memory_bytes_max),
  max_result_rows: String(limits.audit_query_rows_max),
  max_result_bytes: String(limits.audit_query_result_bytes_max),
  result_overflow_mode: 'throw',
  max_threads: 2,
  readonly: '1',
} satisfies ClickHouseSettings

/** Makes the clients. Reaches out to nobody yet for a server; opens the engine for a path. */
export function openClickHouse(
  place: ClickHousePlace,
  insert_ms_max: number = limits.audit_insert_ms_max,
): ClickHouse {
  return 'server' in place
    ? new ServerClickHouse(place.server, insert_ms_max)
    : new EmbeddedClickHouse(place.path)
}

type Connection = NonNullable<NonNullable<Parameters<typeof createClient>[0]>['connection']>

/** The two packages' declarations of one interface differ in details that no caller meets. */
function embeddedConnection(path: string): Connection {
  return createChdbConnection({ path }) as unknown as Connection
}

/** What a session is for: `analyst` sessions cannot write or change anything. */
type Purpose = 'write' | 'read' | 'analyst'

abstract class SharedClickHouse {
  abstract readonly database: string

  /** Lets `use` work with a client whose session nobody else's statements have touched. */
  protected abstract session<T>(purpose: Purpose, use: (client: ClickHouseClient) => Promise<T>): Promise<T>

  async command(sql: string): Promise<void> {
    await this.session('write', (client) => client.command({ query: sql }))
  }

  async insert(table: OwnTable, rows: readonly Row[], token: string): Promise<void> {
    const named = columns[table as AuditTable]
    await this.session('write', (client) =>
      client.insert({
        table: `${this.database}.${table}`,
        values: rows,
        format: 'JSONEachRow',
        ...(named && { columns: named }),
        clickhouse_settings: { ...insert_settings, insert_deduplication_token: token },
      }),
    )
  }

  rows<T>(sql: string, parameters: QueryParameters = {}): Promise<T[]> {
    return this.session('read', async (client) => {
      const result = await client.query({ query: sql, query_params: parameters, format: 'JSONEachRow' })
      return await result.json<T>()
    })
  }

  readOnly(sql: string, format: string, parameters: QueryParameters = {}): Promise<Uint8Array> {
    return this.session('analyst', async (client) => {
      const { stream } = await client.exec({
        query: sql,
        query_params: parameters,
        clickhouse_settings: { default_format: format as ClickHouseSettings['default_format'] },
      })
      const parts: Uint8Array[] = []
      let bytes = 0
      for await (const part of stream as AsyncIterable<Uint8Array>) {
        bytes += part.length
        parts.push(part)
        // Text is larger than what ClickHouse counts. Breaking off ends the stream.
        if (bytes > 2 * limits.audit_query_result_bytes_max) {
          throw new AuditError('query_too_large', 'the result is too large; select less, or add a LIMIT')
        }
      }
      return Buffer.concat(parts)
    })
  }
}

class ServerClickHouse extends SharedClickHouse implements ClickHouse {
  readonly embedded = false
  readonly database: string
  readonly #clients: Readonly<Record<Purpose, ClickHouseClient>>

  constructor({ url, database, username, password }: ClickHouseServer, insert_ms_max: number) {
    super()
    this.database = database
    // The database is named in each statement of the gateway's: before the first migration it does not exist.
    const common = { url, username, password, application: 'sluice', max_open_connections: 4, log }
    this.#clients = {
      write: createClient({ ...common, request_timeout: insert_ms_max }),
      read: createClient({ ...common, request_timeout: limits.audit_query_ms_max }),
      analyst: createClient({
        ...common,
        database,
        request_timeout: limits.audit_query_ms_max + 5_000,
        // The answer begins when the query has ended, so that a late error is an error and not text in the result.
        clickhouse_settings: { ...read_settings, wait_end_of_query: 1 },
      }),
    }
  }

  protected override session<T>(purpose: Purpose, use: (client: ClickHouseClient) => Promise<T>): Promise<T> {
    // Over HTTP each request is a session of its own.
    return use(this.#clients[purpose])
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#clients).map((client) => client.close()))
  }
}

/**
 * The engine itself. Every call gets a connection of its own, which takes a fifth of a millisecond: settings stick to
 * a connection, and the rows that a failed query had put out already would stand before the next result on it.
 */
class EmbeddedClickHouse extends SharedClickHouse implements ClickHouse {
  readonly embedded = true
  readonly database = 'sluice'
  readonly #path: string
  /** The engine stops with its last connection, so one stays. */
  readonly #kept: ClickHouseClient

  constructor(path: string) {
    super()
    this.#path = path
    this.#kept = createClient({ connection: embeddedConnection(path), log })
  }

  protected override async session<T>(
    purpose: Purpose,
    use: (client: ClickHouseClient) => Promise<T>,
  ): Promise<T> {
    const client = createClient({ connection: embeddedConnection(this.#path), log })
    try {
      if (purpose === 'analyst') {
        const settings = Object.entries(read_settings).map(([name, value]) => `${name} = '${value}'`)
        await client.command({ query: `USE ${this.database}` })
        await client.command({ query: `SET ${settings.join(', ')}` })
      }
      return await use(client)
    } finally {
      await client.close()
    }
  }

  close(): Promise<void> {
    return this.#kept.close()
  }
}
