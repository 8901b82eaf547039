import { setTimeout as sleep } from 'node:timers/promises'
import type { Stack } from './stack.ts'

export type Row = Readonly<Record<string, unknown>>

/** Runs a statement as an auditor, over the control plane. */
export async function sql(stack: Stack, query: string): Promise<Row[]> {
  const answer = await fetch(`${stack.control}/api/v1/sql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await stack.token('omar')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, format: 'JSONEachRow' }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${answer.status}: ${text}`)
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row)
}

/** Recorded exchanges with their texts, once there are at least `count` of them: records take up to a second or so. */
export function exchangesWhere(stack: Stack, condition: string, count: number): Promise<Row[]> {
  return rowsOnce(stack, `SELECT * FROM transcripts WHERE ${condition} ORDER BY started_at, id`, count)
}

/** What a statement gives, once that is at least `count` rows. */
export async function rowsOnce(stack: Stack, query: string, count: number): Promise<Row[]> {
  for (let attempt = 0; ; attempt++) {
    const rows = await sql(stack, query)
    if (rows.length >= count) return rows
    if (attempt >= 200) throw new Error(`${rows.length} rows instead of ${count}: ${query}`)
    await sleep(200)
  }
}
