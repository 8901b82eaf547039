import assert from 'node:assert/strict'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Behaviour, credentials, startHttpClickHouse } from '../audit/clickhouse_http.ts'
import { ownFolder } from '../audit/made_up.ts'
import { gatewayFixture } from '../cli/gateway_fixture.ts'

/** How long each trouble lasts; more on demand. */
const trouble_ms = Number(process.env.SLUICE_TROUBLE_MS ?? 1_000)
const troubles: readonly Behaviour[] = ['overloaded', 'reset', 'lost', 'slow', 'puzzled', 'hang']

test('callers do not notice a ClickHouse that errs, hangs, is slow or gone, and it has every exchange once afterwards', async (t) => {
  const server = await startHttpClickHouse(join(ownFolder(), 'engine'))
  const gateway = await gatewayFixture()
  t.after(async () => {
    server.behave = () => 'answer'
    await gateway.close()
    await server.close()
  })
  const { username, password } = credentials
  const account = `username: ${username}, password: ${password}`
  await appendFile(
    gateway.file,
    `audit: { clickhouse: { url: "${server.url}", database: trouble, ${account} } }\n`,
  )
  const child = await gateway.start()
  const token = await gateway.provider.token('ana')

  let going = true
  const whole: string[] = []
  const caller = async (number: number) => {
    for (let call = 0; going; call++) {
      const marker = `${number}-${call}`
      const answer = await fetch(`${gateway.proxy}/openai/v1/chat/completions?marker=${marker}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ stream: number % 2 === 0, messages: [{ role: 'user', content: marker }] }),
      })
      await answer.text()
      assert.equal(answer.status, 200)
      whole.push(marker)
      await sleep(5)
    }
  }
  const calls = Array.from({ length: 6 }, (_, number) => caller(number))
  const served: Record<string, number> = {}
  for (const trouble of troubles) {
    const before = whole.length
    server.behave = ({ sql }) => (/^INSERT/.test(sql) ? trouble : 'answer')
    await sleep(trouble_ms)
    served[trouble] = whole.length - before
  }
  await server.down()
  const before_down = whole.length
  await sleep(trouble_ms)
  served.gone = whole.length - before_down
  // Killed while nothing of this is in ClickHouse.
  going = false
  await Promise.all(calls)
  child.child.kill('SIGKILL')
  await child.ended()
  for (const [trouble, count] of Object.entries(served)) assert.ok(count > 0, `${trouble}: ${count}`)

  server.behave = () => 'answer'
  await server.up()
  await gateway.start()
  for (;;) {
    const { audit } = (await (await fetch(`${gateway.control}/healthz`)).json()) as {
      audit: { spool_rows: number; dropped: number; rejected_rows: number }
    }
    assert.deepEqual([audit.dropped, audit.rejected_rows], [0, 0])
    if (audit.spool_rows === 0) break
    await sleep(100)
  }
  const rows = await server.rows<{ marker: string; times: number }>(
    "SELECT extractURLParameter(concat('?', query), 'marker') AS marker, toUInt32(count()) AS times FROM trouble.exchanges GROUP BY marker",
  )
  const times = new Map(rows.map(({ marker, times: count }) => [marker, count]))
  assert.deepEqual(
    whole.filter((marker) => times.get(marker) !== 1),
    [],
  )
  assert.equal(times.size, whole.length)
  t.diagnostic(`${whole.length} exchanges; ${JSON.stringify(served)}`)
})
