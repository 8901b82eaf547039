import assert from 'node:assert/strict'
import { appendFile } from 'node:fs/promises'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type GatewayFixture, gatewayFixture } from '../cli/gateway_fixture.ts'

/** Each kills a gateway under load once; set the variable for more. */
const rounds = Number(process.env.SLUICE_KILL_ROUNDS ?? 3)
const callers = 12

/** Markers of the exchanges whose response came back in full. */
async function callUntilKilled(gateway: GatewayFixture, token: string, round: number): Promise<string[]> {
  const whole: string[] = []
  const child = await gateway.start()
  let killed = false
  const caller = async (number: number) => {
    for (let call = 0; !killed; call++) {
      const marker = `${round}-${number}-${call}`
      try {
        const answer = await fetch(`${gateway.proxy}/openai/v1/chat/completions?marker=${marker}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ stream: number % 2 === 0, messages: [{ role: 'user', content: marker }] }),
        })
        await answer.text()
        assert.equal(answer.status, 200)
        whole.push(marker)
      } catch (error) {
        if (!killed) throw error
      }
    }
  }
  const calls = Array.from({ length: callers }, (_, number) => caller(number))
  while (whole.length < callers * 2) await sleep(5)
  await sleep(Math.random() * 600)
  killed = true
  child.child.kill('SIGKILL')
  assert.equal(await child.ended(), 'SIGKILL')
  await Promise.all(calls)
  return whole
}

/** What the audit holds, once nothing is on its way any more. */
async function recorded(gateway: GatewayFixture): Promise<Map<string, { times: number; code: string }>> {
  const token = await gateway.provider.token('omar')
  for (;;) {
    const { audit } = (await (await fetch(`${gateway.control}/healthz`)).json()) as {
      audit: { spool_rows: number }
    }
    if (audit.spool_rows === 0) break
    await sleep(100)
  }
  const query =
    "SELECT extractURLParameter(concat('?', query), 'marker') AS m, count(), any(code) FROM exchanges GROUP BY m"
  const answer = await fetch(`${gateway.control}/api/v1/sql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, format: 'TabSeparated' }),
  })
  const text = await answer.text()
  assert.equal(answer.status, 200, text)
  const rows = text.split('\n').filter((line) => line !== '')
  return new Map(
    rows.map((row) => {
      const [marker = '', times, code = ''] = row.split('\t')
      return [marker, { times: Number(times), code }]
    }),
  )
}

for (const [mode, setting] of [
  ['by default', ''],
  ['with audit.strict', 'audit: { strict: true }\n'],
] as const) {
  test(`kill -9 under load, ${mode}: every exchange whose response came in full is recorded once`, async (t) => {
    const gateway = await gatewayFixture()
    t.after(() => gateway.close())
    await appendFile(gateway.file, setting)
    const token = await gateway.provider.token('ana')
    const whole: string[] = []
    for (let round = 0; round < rounds; round++) whole.push(...(await callUntilKilled(gateway, token, round)))

    await gateway.start()
    const found = await recorded(gateway)
    assert.deepEqual(
      whole.filter((marker) => found.get(marker)?.times !== 1),
      [],
      `of ${whole.length}`,
    )
    assert.deepEqual(
      [...found].filter(([, { times }]) => times !== 1),
      [],
    )
    if (setting === '') return
    const upstream = gateway.upstream.seen.map(({ url }) => url.split('marker=')[1] ?? '')
    assert.deepEqual(
      upstream.filter((marker) => !found.has(marker)),
      [],
    )
    const interrupted = [...found].filter(([, { code }]) => code === 'interrupted').length
    t.diagnostic(`${whole.length} in full, ${upstream.length} upstream, ${interrupted} interrupted`)
  })
}
