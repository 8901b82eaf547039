import { setTimeout as sleep } from 'node:timers/promises'
import type { ExchangeFrames } from '../control/api_shapes.ts'
import type { ExchangeDetail } from '../control/messages.ts'
import { controlClient, default_control_url } from './control_client.ts'
import { controlCommand } from './control_command.ts'
import { printable, printableLines } from './text_table.ts'
import { UsageError } from './usage_error.ts'

export const usage = `usage: sluice replay ID [--speed FACTOR]

Plays a recorded exchange in the terminal: what went up and what came back, masked as it was recorded, at the pace at which
it happened.

--speed FACTOR  2 is twice as fast, 0.5 half as fast, 0 all at once; default 1
--url URL       the control listener; default SLUICE_URL, else ${default_control_url}
--token TOKEN   your access token; default SLUICE_TOKEN; needs the role auditor or admin

Exit code 0: done, 1: refused by the gateway, 2: called wrongly or not reached.
`

/** A pause is not longer than this, whatever the pace. */
const pause_ms_max = 60_000

/** `sluice replay`. */
export function run(args: string[]): Promise<number> {
  return controlCommand(
    { name: 'replay', usage, words: 1, options: { speed: { type: 'string' } } },
    args,
    async ([id], values) => {
      if (id === undefined) throw new UsageError('which exchange?')
      const speed = Number(values.speed ?? '1')
      if (!Number.isFinite(speed) || speed < 0) throw new UsageError('--speed: a number such as 2 or 0.5')
      const client = controlClient(values)
      const path = `/api/v1/exchanges/${encodeURIComponent(id)}`
      const detail = await client.json<ExchangeDetail>('GET', path)
      await play(detail, await client.json<ExchangeFrames>('GET', `${path}/frames`), speed)
      return 0
    },
  )
}

async function play(detail: ExchangeDetail, recorded: ExchangeFrames, speed: number): Promise<void> {
  const { caller, connection, method, path, status, outcome, started_at } = detail
  const say = (line: string) => process.stdout.write(`${printable(line)}\n`)
  say(
    `${new Date(started_at).toISOString()} ${caller || 'nobody'}: ${method} ${path} on ${connection || 'no connection'}`,
  )
  const began = performance.now()
  let direction = ''
  for (const frame of recorded.frames) {
    if (speed > 0) {
      const due_ms = began + frame.offset_us / 1000 / speed
      await sleep(Math.min(pause_ms_max, Math.max(0, due_ms - performance.now())))
    }
    if (frame.direction !== direction) {
      if (direction !== '') process.stdout.write('\n')
      say(`${frame.direction === 'request' ? '▶ request' : '◀ response'} after ${seconds(frame.offset_us)}`)
      direction = frame.direction
    }
    process.stdout.write(printableLines(frame.text))
  }
  if (direction !== '') process.stdout.write('\n')
  say(
    `${status} ${outcome} after ${seconds(recorded.total_us)}${recorded.truncated ? '; not all of it was recorded' : ''}${recorded.erased ? '; its bodies were erased' : ''}`,
  )
}

function seconds(us: number): string {
  return `${(us / 1e6).toFixed(3)} s`
}
