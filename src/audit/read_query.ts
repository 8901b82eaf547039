import { limits } from '../config/limits.ts'
import { AuditError } from './audit_error.ts'
import { type ClickHouse, clickHouseErrorOf, type QueryParameters } from './clickhouse_client.ts'
import { mayCall, read_table_functions } from './read_functions.ts'

/** Output formats of a query, by the names that ClickHouse gives them. */
export const query_formats: ReadonlySet<string> = new Set([
  'CSV',
  'CSVWithNames',
  'JSON',
  'JSONCompact',
  'JSONCompactEachRow',
  'JSONEachRow',
  'Markdown',
  'Pretty',
  'PrettyCompact',
  'PrettyCompactMonoBlock',
  'PrettySpace',
  'TabSeparated',
  'TabSeparatedWithNames',
  'TSV',
  'TSVWithNames',
  'Vertical',
])

/** What a statement may consist of, by the names in ClickHouse's syntax tree. Everything else is refused. */
const allowed_nodes: ReadonlySet<string> = new Set([
  'ArrayJoin',
  'Asterisk',
  'ColumnsExceptTransformer',
  'ColumnsListMatcher',
  'ColumnsRegexpMatcher',
  'ColumnsTransformerList',
  'ExpressionList',
  'Function',
  'Identifier',
  'InterpolateElement',
  'Literal',
  'OrderByElement',
  'QualifiedAsterisk',
  'QualifiedColumnsListMatcher',
  'QualifiedColumnsRegexpMatcher',
  'SampleRatio',
  'SelectIntersectExceptQuery',
  'SelectQuery',
  'SelectWithUnionQuery',
  'Subquery',
  'TableExpression',
  'TableIdentifier',
  'TableJoin',
  'TablesInSelectQuery',
  'TablesInSelectQueryElement',
  'WindowDefinition',
  'WindowListElement',
  'WithElement',
])

/** Tables of ClickHouse's own that tell about the audit's tables and nothing about anybody else. */
const system_tables: ReadonlySet<string> = new Set(['columns', 'numbers', 'one', 'parts', 'tables', 'zeros'])

/**
 * Runs one analyst's SELECT and returns its result in `format`.
 *
 * Two walls, since neither is enough. ClickHouse's `readonly` refuses writes, DDL, settings and most table functions;
 * the embedded engine lets `file()`, `INTO OUTFILE` and `KILL QUERY` through all the same. So the statement is first
 * parsed by ClickHouse itself, as data, and refused unless its syntax tree holds nothing but a SELECT of known
 * functions over the audit's tables. What runs is the tree written out again, never the text that came in.
 *
 * @throws AuditError `query_refused`, `query_failed`, `query_too_large`, `clickhouse_unavailable`
 */
export async function readQuery(clickhouse: ClickHouse, sql: string, format: string): Promise<Uint8Array> {
  if (!query_formats.has(format)) {
    throw new AuditError('query_refused', `unknown format; use one of ${[...query_formats].join(', ')}`)
  }
  if (Buffer.byteLength(sql) > limits.audit_query_text_bytes_max) {
    throw new AuditError(
      'query_refused',
      `the statement is longer than ${limits.audit_query_text_bytes_max} bytes`,
    )
  }
  try {
    return await clickhouse.readOnly(await checkedSelect(clickhouse, sql), format)
  } catch (error) {
    throw queryError(error)
  }
}

/**
 * Runs a query of the gateway's own, under the same bounds as an analyst's and as unable to write. Whatever comes from
 * outside is bound as a parameter. Tables need no database in front.
 * @returns JSONEachRow
 * @throws AuditError `query_failed`, `query_too_large`, `clickhouse_unavailable`
 */
export async function readRows(
  clickhouse: ClickHouse,
  sql: string,
  parameters: QueryParameters,
): Promise<Uint8Array> {
  try {
    return await clickhouse.readOnly(sql, 'JSONEachRow', parameters)
  } catch (error) {
    throw queryError(error)
  }
}

/** @returns the statement as ClickHouse writes it, once nothing in it is forbidden. */
async function checkedSelect(clickhouse: ClickHouse, sql: string): Promise<string> {
  const statement = await textOf(clickhouse, 'SELECT formatQuery({sql:String})', { sql })
  // Between parentheses only a SELECT is a statement: no INTO OUTFILE, FORMAT or second statement fits there.
  let tree: string[]
  try {
    tree = (await textOf(clickhouse, `EXPLAIN AST SELECT * FROM (${statement})`)).split('\n')
  } catch (error) {
    if (clickHouseErrorOf(error)?.code !== syntax_error) throw error
    throw new AuditError(
      'query_refused',
      'only a single SELECT is allowed, without FORMAT and INTO OUTFILE',
      error,
    )
  }
  for (const [at, line] of tree.entries()) refuseForbidden(line, tree[at - 1] ?? '', clickhouse.database)
  return statement
}

/** Checks one line of the tree: indentation, the node's name, for some its own name, then details. */
function refuseForbidden(line: string, line_before: string, database: string): void {
  const [, node = '', name = ''] = /^ *(\S+)(?: (\S+))?/.exec(line) ?? []
  if (!allowed_nodes.has(node)) {
    throw new AuditError('query_refused', `a query may not contain ${described(node)}`)
  }
  // What a table expression reads stands right below it.
  const of_table = /^ *TableExpression\b/.test(line_before)
  if (node === 'Function' && !(of_table ? read_table_functions.has(name.toLowerCase()) : mayCall(name))) {
    throw new AuditError('query_refused', `a query may not call ${name.slice(0, 100)}`)
  }
  if (node === 'TableIdentifier' && !mayRead(name, database)) {
    throw new AuditError(
      'query_refused',
      `a query may not read ${name.slice(0, 100)}; the audit is in ${database}`,
    )
  }
}

function mayRead(table: string, database: string): boolean {
  const dot = table.indexOf('.')
  if (dot < 0) return true
  const owner = table.slice(0, dot)
  return owner === database || (owner === 'system' && system_tables.has(table.slice(dot + 1)))
}

function described(node: string): string {
  const names: Readonly<Record<string, string>> = {
    ColumnsApplyTransformer: 'APPLY',
    ColumnsReplaceTransformer: 'REPLACE',
    QueryParameter: 'parameters',
    Set: 'SETTINGS',
  }
  return names[node] ?? `this: ${node.slice(0, 100)}`
}

/** A statement's result as it is, without the last line break. */
async function textOf(clickhouse: ClickHouse, sql: string, parameters?: QueryParameters): Promise<string> {
  const result = await clickhouse.readOnly(sql, 'TabSeparatedRaw', parameters)
  return Buffer.from(result).toString().replace(/\n$/, '')
}

const syntax_error = 62
/** `MEMORY_LIMIT_EXCEEDED`, `TOO_MANY_ROWS_OR_BYTES` */
const too_large: ReadonlySet<number> = new Set([241, 396])

function queryError(error: unknown): AuditError {
  if (error instanceof AuditError) return error
  const refused = clickHouseErrorOf(error)
  if (refused === null) {
    return new AuditError('clickhouse_unavailable', 'ClickHouse does not answer; try again later', error)
  }
  const code = too_large.has(refused.code) ? 'query_too_large' : 'query_failed'
  return new AuditError(code, `ClickHouse error ${refused.code}: ${refused.message}`, error)
}
