import type { ExchangeFrames } from '../control/api_shapes.ts'
import type { ExchangeDetail, ExchangeItem } from '../control/messages.ts'
import type { ControlClient } from './control_client.ts'
import { writeOut } from './standard_output.ts'
import { UsageError } from './usage_error.ts'

const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A time as it is written after `--since`, in milliseconds since the epoch. @throws UsageError */
export function since(text: string, now_ms: number, option = '--since'): number {
  const [, count, unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  if (count !== undefined) return now_ms - Number(count) * (units[unit] ?? 0)
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time)) throw new UsageError(`${option}: a time such as 2026-01-31, or 12h or 7d`)
  return time
}

/** Prints each exchange since then with its findings and frames, newest first, a line of JSON each. */
export async function exportSessions(client: ControlClient, from_ms: number): Promise<number> {
  let before = ''
  for (;;) {
    const query = new URLSearchParams({ from: String(from_ms), ...(before !== '' && { before }) })
    const { exchanges } = await client.json<{ exchanges: ExchangeItem[] }>(
      'GET',
      `/api/v1/exchanges?${query}`,
    )
    for (const { id } of exchanges) {
      const path = `/api/v1/exchanges/${id}`
      const { cursor, ...detail } = await client.json<ExchangeDetail>('GET', path)
      const { frames, truncated } = await client.json<ExchangeFrames>('GET', `${path}/frames`)
      const there = await writeOut(`${JSON.stringify({ ...detail, frames, truncated })}\n`)
      if (!there) return 0
    }
    const last = exchanges.at(-1)
    if (last === undefined) return 0
    before = last.cursor
  }
}
