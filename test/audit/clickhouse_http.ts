import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createChdbConnection } from 'chdb/connection'

/** What the server does with a request. `lost`: it does what it is asked and cuts the connection before the answer. */
export type Behaviour = 'answer' | 'lost' | 'hang' | 'reset' | 'overloaded' | 'puzzled' | 'forbidden' | 'slow'

export interface Statement {
  readonly sql: string
  /** Table of an insert without its database, else empty. */
  readonly table: string
  readonly token: string
  readonly settings: Readonly<Record<string, string>>
  /** Bytes of an insert's rows. */
  readonly body_bytes: number
}

/** A ClickHouse server for tests: the real engine behind ClickHouse's HTTP interface, with faults on demand. */
export interface HttpClickHouse {
  readonly url: string
  /** Every statement that arrived, faulty ones too. */
  readonly statements: Statement[]
  /** Decides about each statement; default: `answer`. */
  behave: (statement: Statement) => Behaviour
  /** Runs a statement on the engine and returns JSONEachRow objects. */
  rows<T>(sql: string): Promise<T[]>
  /** Stops listening and cuts every connection; the engine stays. */
  down(): Promise<void>
  up(): Promise<void>
  close(): Promise<void>
}

export const credentials = { username: 'sluice', password: ['pass', 'word'].join('-') }

/** Parameters of the HTTP interface that are no settings. */
const no_settings = new Set(['query', 'database', 'default_format', 'wait_end_of_query', 'query_id', 'role'])

export async function startHttpClickHouse(path: string): Promise<HttpClickHouse> {
  const kept = createChdbConnection({ path })
  const hanging = new Set<ServerResponse>()
  let port = 0
  const clickhouse: HttpClickHouse = {
    url: '',
    statements: [],
    behave: () => 'answer',
    async rows<T>(sql: string) {
      const text = (await kept.chdb.queryAsync(sql, { format: 'JSONEachRow' })).text()
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as T)
    },
    async down() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
    async up() {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
    async close() {
      for (const response of hanging) response.destroy()
      if (server.listening) await clickhouse.down()
      await kept.close()
    },
  }
  const server = createServer((request, response) => {
    serve(clickhouse, path, hanging, request, response).catch((error: Error) => {
      response.writeHead(500, { 'x-clickhouse-exception-code': '1' })
      response.end(error.message)
    })
  })
  await clickhouse.up()
  port = (server.address() as AddressInfo).port
  return Object.assign(clickhouse, { url: `http://127.0.0.1:${port}` })
}

async function serve(
  clickhouse: HttpClickHouse,
  path: string,
  hanging: Set<ServerResponse>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { searchParams } = new URL(request.url ?? '/', 'http://clickhouse')
  const parts: Uint8Array[] = []
  for await (const part of request) parts.push(part)
  const body = Buffer.concat(parts).toString()
  const query = searchParams.get('query')
  const settings = Object.fromEntries(
    [...searchParams].filter(([name]) => !no_settings.has(name) && !name.startsWith('param_')),
  )
  const sql = query ?? body
  const statement: Statement = {
    sql,
    table: /^INSERT INTO (?:\w+\.)?(\w+)/.exec(sql)?.[1] ?? '',
    token: settings.insert_deduplication_token ?? '',
    settings,
    body_bytes: query === null ? 0 : body.length,
  }
  if (!authorized(request)) {
    return refuse(
      response,
      403,
      'Code: 516. DB::Exception: sluice: Authentication failed. (AUTHENTICATION_FAILED)',
    )
  }
  clickhouse.statements.push(statement)
  const behaviour = clickhouse.behave(statement)
  if (behaviour === 'reset') return void response.destroy()
  if (behaviour === 'overloaded') {
    return refuse(response, 500, 'Code: 252. DB::Exception: Too many parts. (TOO_MANY_PARTS)')
  }
  if (behaviour === 'puzzled') return refuse(response, 500, 'Code: 9999. DB::Exception: What. (WHAT)')
  if (behaviour === 'forbidden')
    return refuse(response, 403, 'Code: 497. DB::Exception: Not enough privileges. (ACCESS_DENIED)')
  if (behaviour === 'hang') return void hanging.add(response)
  if (behaviour === 'slow') await new Promise((resolve) => setTimeout(resolve, 300))
  const answer = await runStatement(path, query === null ? sql : `${sql}\n${body}`, searchParams, settings)
  if (behaviour === 'lost') return void response.destroy()
  if (answer instanceof Error) return refuse(response, 500, answer.message)
  response.writeHead(200, { 'content-type': 'application/octet-stream' })
  response.end(answer)
}

/** Runs one statement in a session of its own, as the HTTP interface does. */
async function runStatement(
  path: string,
  sql: string,
  searchParams: URLSearchParams,
  settings: Readonly<Record<string, string>>,
): Promise<Uint8Array | Error> {
  const connection = createChdbConnection({ path })
  try {
    const database = searchParams.get('database')
    if (database !== null) await connection.chdb.queryAsync(`USE ${database}`)
    const set = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`)
    if (set.length > 0) await connection.chdb.queryAsync(`SET ${set.join(', ')}`)
    const parameters = Object.fromEntries(
      [...searchParams]
        .filter(([name]) => name.startsWith('param_'))
        .map(([name, value]) => [name.slice('param_'.length), parameterOf(value)]),
    )
    const result = await connection.query({
      query: sql,
      query_params: parameters,
      clickhouse_settings: {
        default_format: (searchParams.get('default_format') ?? 'TabSeparated') as 'CSV',
      },
    })
    const parts: Uint8Array[] = []
    for await (const part of result.stream) parts.push(part as Uint8Array)
    return Buffer.concat(parts)
  } catch (error) {
    const { code, type, message } = error as Error & { code: string; type: string }
    return new Error(`Code: ${code}. DB::Exception: ${message} (${type})`)
  } finally {
    await connection.close()
  }
}

/** Undoes the escaping that the client gives to a parameter on the wire. */
function parameterOf(value: string): string | string[] {
  if (value.startsWith('['))
    return value
      .slice(1, -1)
      .split(',')
      .map((item) => item.replace(/^'|'$/g, ''))
  const escapes: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', '\\': '\\', "'": "'" }
  return value.replace(/\\(.)/gs, (_, letter: string) => escapes[letter] ?? letter)
}

function authorized(request: IncomingMessage): boolean {
  const basic = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')
  return request.url?.startsWith('/ping') || request.headers.authorization === `Basic ${basic}`
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' })
  response.end(text)
}
