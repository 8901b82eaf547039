import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { type Audit, openAudit } from '../../src/audit/audit.ts'
import { keptLog, madeUpApproval, madeUpRecord, ownFolder, rowsOf } from './made_up.ts'

const views = [
  'leaks_by_person',
  'secrets_seen',
  'approval_delays',
  'added_latency',
  'model_usage',
  'token_usage',
  'not_scanned',
]
const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

let audit: Audit

before(async () => {
  audit = await openAudit({
    folder: ownFolder(),
    clickhouse: null,
    retention_days: 36_500,
    log: keptLog().log,
  })
  for (let n = 0; n < 10; n++) {
    const record = madeUpRecord(n)
    const unscanned = { ...record.response, unscanned_bytes: 77, unscanned_reason: 'binary' }
    const answer = '{"usage":{"prompt_tokens":12,"completion_to'
    const rest = 'kens": 34}}'
    audit.append({
      ...record,
      findings: n < 3 ? record.findings : [],
      response: n === 5 ? unscanned : record.response,
      frames:
        n === 0
          ? [answer, rest].map((text, k) => ({
              direction: 'response',
              offset_us: k,
              bytes: new Uint8Array(Buffer.from(text)),
            }))
          : record.frames,
    })
  }
  const asked = madeUpApproval(1)
  audit.appendApproval(asked)
  const at = asked.created_at + 90_000
  const decision = { by: 'omar', by_email: 'omar@example.com', at, reason: 'fine', preview_digest: 'd' }
  audit.appendApproval({ ...asked, state: 'approved', decision } as typeof asked)
  audit.appendApproval(madeUpApproval(2))
  await audit.flush()
})

test('each view gives what it says', async (t) => {
  t.after(() => audit.close())
  const rows = (sql: string) => rowsOf<Record<string, unknown>>(audit, sql)
  assert.deepEqual(
    await rows(
      'SELECT subject, email, times, secrets, toDayOfWeek(week) AS day FROM leaks_by_person ORDER BY subject',
    ),
    [
      { subject: 'user-0', email: 'user-0@example.com', times: 1, secrets: 1, day: 1 },
      { subject: 'user-1', email: 'user-1@example.com', times: 1, secrets: 1, day: 1 },
      { subject: 'user-2', email: 'user-2@example.com', times: 1, secrets: 1, day: 1 },
    ],
  )
  assert.deepEqual(await rows('SELECT people, subjects, times FROM secrets_seen'), [
    { people: 3, subjects: ['user-0', 'user-1', 'user-2'], times: 3 },
  ])
  assert.deepEqual(await rows('SELECT last_state, decided_by, seconds FROM approval_delays ORDER BY id'), [
    { last_state: 'approved', decided_by: 'omar@example.com', seconds: 90 },
    { last_state: 'pending', decided_by: '', seconds: null },
  ])
  const [latency] = await rows('SELECT sum(exchanges) AS n, max(p50_ms) AS ms FROM added_latency')
  assert.deepEqual(latency, { n: 10, ms: 0.353 })
  assert.deepEqual(await rows('SELECT sum(exchanges) AS n, any(model) AS model FROM model_usage'), [
    { n: 10, model: 'gpt-4o' },
  ])
  assert.deepEqual(
    await rows('SELECT input_tokens, output_tokens, model FROM token_usage WHERE input_tokens > 0'),
    [{ input_tokens: 12, output_tokens: 34, model: 'gpt-4o' }],
  )
  assert.deepEqual(
    await rows('SELECT response_unscanned_bytes AS b, response_unscanned_reason AS r FROM not_scanned'),
    [{ b: 77, r: 'binary' }],
  )

  const documented = read('docs/audit.md')
  for (const view of views) assert.ok(documented.includes(`\`${view}\``), view)
  for (const [, sql = ''] of documented.matchAll(/```sql\n([\s\S]*?)```/g)) {
    await assert.doesNotReject(audit.query(sql, 'JSONEachRow'), sql)
  }
})

test('every query of the Grafana dashboard runs against the views', async (t) => {
  const other = await openAudit({
    folder: ownFolder(),
    clickhouse: null,
    retention_days: 400,
    log: keptLog().log,
  })
  t.after(() => other.close())
  const dashboard = JSON.parse(read('docker/grafana/sluice.json')) as {
    panels: { title: string; targets: { rawSql: string }[] }[]
  }
  assert.ok(dashboard.panels.length >= views.length)
  const used = dashboard.panels.flatMap(({ targets }) => targets.map(({ rawSql }) => rawSql))
  for (const sql of used) {
    // What Grafana's ClickHouse plugin puts in the macro's place.
    const filled = sql.replace(/\$__timeFilter\((\w+)\)/g, '$1 >= toDateTime(0) AND $1 <= now()')
    await assert.doesNotReject(other.query(filled, 'JSON'), sql)
  }
  for (const view of views)
    assert.ok(
      used.some((sql) => sql.includes(view)),
      view,
    )
})
