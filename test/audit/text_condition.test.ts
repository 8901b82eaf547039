import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsContain, textCondition } from '../../src/audit/text_condition.ts'
import { madeUpRecord, ownAudit } from './made_up.ts'

const strange = ['100%_done\\', "it's {text:String}", 'ÄRGER-ß', '🦊 fox', 'a\tb', '%', '_', '\\%']

test('a text is found wherever it stands, and none is a pattern or a part of the statement', async (t) => {
  const audit = await ownAudit(t)
  const records = strange.map((path, n) => madeUpRecord(n, { path }))
  for (const record of records) audit.append(record)
  await audit.flush()
  const found = async (text: string) =>
    (await audit.exchanges({ limit: 100, text })).map(({ path }) => path).sort()
  for (const text of [...strange, '100%_', 'ärger', 'FOX', 'nowhere', '%nowhere', '0_done']) {
    const expected = strange.filter((path) => path.toLowerCase().includes(text.toLowerCase())).sort()
    assert.deepEqual(await found(text), expected, text)
  }
  for (const text of [records[3]!.id, records[3]!.id.toUpperCase(), records[3]!.id.slice(20)])
    assert.deepEqual(await found(text), [strange[3]])
  assert.equal((await found('192.0.2.7')).length, strange.length)
})

test('a search for a text reads by the index', async (t) => {
  const audit = await ownAudit(t)
  for (let n = 0; n < 10; n++) audit.append(madeUpRecord(n))
  await audit.flush()
  for (const { sql, parameters } of [textCondition('Some Words'), factsContain('Some Words', 'p')!]) {
    const plan = await audit.read<{ explain: string }>(
      `EXPLAIN indexes = 1 SELECT id FROM exchanges AS e WHERE ${sql}`,
      parameters,
    )
    assert.ok(
      plan.some(({ explain }) => explain.includes('by_facts')),
      JSON.stringify(plan),
    )
  }
})
