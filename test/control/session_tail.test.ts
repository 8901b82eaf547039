import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type { ExchangeRecord } from '../../src/audit/exchange_record.ts'
import { limits } from '../../src/config/limits.ts'
import {
  decodeToBrowser,
  type ExchangeItem,
  encodeFrame,
  type ToBrowser,
  type ToServer,
} from '../../src/control/messages.ts'
import { exchangeFacts, exchangeWanted, isWanted } from '../../src/control/queries/exchange_wanted.ts'
import { until } from '../approval/approval_desk.ts'
import { type ControlStack, startControlStack } from './control_stack.ts'
import { finding, recorded } from './recorded.ts'

let stack: ControlStack
let auditor = ''
before(async () => {
  stack = await startControlStack('{ approver: [security-oncall], auditor: [audit] }')
  auditor = await stack.signIn('omar')
})
after(() => stack.close())

type Sessions = ToBrowser & { readonly kind: 'sessions' }

/** A dashboard that follows what is recorded. */
class Tail {
  readonly socket: WebSocket
  readonly told: Sessions[] = []
  epoch = ''
  refused = ''

  constructor(cookie: string) {
    const url = `${stack.url.replace('http', 'ws')}/api/v1/live`
    this.socket = new WebSocket(url, { headers: { cookie, origin: stack.url } } as never)
    this.socket.binaryType = 'arraybuffer'
    this.socket.addEventListener('message', ({ data }) => {
      const message = decodeToBrowser(new Uint8Array(data as ArrayBuffer))
      if (message.kind === 'hello') this.epoch = message.epoch
      if (message.kind === 'sessions') this.told.push(message)
      if (message.kind === 'error') this.refused = message.code
    })
  }

  send(message: ToServer): void {
    this.socket.send(encodeFrame(message))
  }

  /** Follows from where another one was, or anew; resolves with the first answer. */
  async follow(search = '', epoch = '', last_sequence = 0): Promise<Sessions> {
    await until(() => this.epoch !== '', 'it is greeted')
    const before = this.told.length
    this.send({ kind: 'tail', search, epoch, last_sequence })
    await until(() => this.told.length > before, 'it is answered')
    return this.told[before]!
  }

  exchanges(): readonly ExchangeItem[] {
    return this.told.flatMap(({ exchanges }) => exchanges)
  }

  callers(): string[] {
    return this.exchanges().map(({ caller }) => caller.split('@')[0]!)
  }

  async close(): Promise<void> {
    this.socket.close()
    await until(() => this.socket.readyState === WebSocket.CLOSED, 'it is closed')
  }
}

test('what is recorded is told at once, to those whose search it fits, and to nobody who may not read it', async () => {
  const all = new Tail(auditor)
  const some = new Tail(auditor)
  const other = new Tail(await stack.signIn('eve'))
  assert.equal((await all.follow()).restart, true)
  await some.follow('person=ana&detector=github-pat')
  await until(() => other.epoch !== '', 'it is greeted')
  other.send({ kind: 'tail', search: '', epoch: '', last_sequence: 0 })
  await until(() => other.refused === 'forbidden', 'it is refused')
  stack.record(recorded('ana'))
  stack.record(recorded('bea', { findings: [finding(1)] }))
  stack.record(recorded('ana', { findings: [finding(1)] }))
  await until(() => all.exchanges().length === 3, 'all are told')
  assert.deepEqual(all.callers(), ['ana', 'bea', 'ana'])
  await until(() => some.exchanges().length === 1, 'the fitting one is told')
  assert.equal(some.exchanges()[0]!.id, all.exchanges()[2]!.id)
  assert.deepEqual(other.told, [])
  all.send({ kind: 'untail' })
  all.send({ kind: 'tail', search: `text=${'x'.repeat(600)}`, epoch: '', last_sequence: 0 })
  await until(() => all.refused === 'bad_request', 'a text too long is refused')
  await Promise.all([all.close(), some.close(), other.close()])
})

test('after a break a dashboard is told what it missed, once; after too long a one it is told to search', async () => {
  const before = new Tail(auditor)
  const { sequence } = await before.follow()
  await before.close()
  for (const who of ['one', 'two', 'three']) stack.record(recorded(who))
  const back = new Tail(auditor)
  const answer = await back.follow('', before.epoch, sequence)
  assert.deepEqual([answer.restart, answer.skipped], [false, 0])
  stack.record(recorded('four'))
  await until(() => back.exchanges().length === 4, 'the next one is told')
  assert.deepEqual(back.callers(), ['one', 'two', 'three', 'four'])

  for (let i = 0; i < 2 * limits.live_events_max + 1; i++) stack.record(recorded('many'))
  const late = new Tail(auditor)
  assert.equal((await late.follow('', before.epoch, sequence)).restart, true)
  assert.equal((await late.follow('', 'of another start', late.told[0]!.sequence)).restart, true)
  await Promise.all([back.close(), late.close()])
})

test('of more than a page takes in at once the newest are told, and how many were not', async () => {
  const tail = new Tail(auditor)
  await tail.follow('person=burst')
  const count = limits.live_tail_rows_max * 5
  for (let i = 0; i < count; i++) stack.record(recorded('burst'))
  const skipped = () => tail.told.reduce((sum, one) => sum + one.skipped, 0)
  await until(() => tail.exchanges().length + skipped() === count, 'each is told or counted')
  assert.ok(skipped() > 0)
  assert.ok(tail.told.every(({ exchanges }) => exchanges.length <= limits.live_tail_rows_max))
  await tail.close()
})

test('the tail lets through exactly what the search finds', async () => {
  const draw = fc.record({
    who: fc.constantFrom('xavi', 'Xenia', 'xy'),
    model: fc.constantFrom('gpt-5', 'GPT-5-mini', ''),
    connection: fc.constantFrom('openai', 'ollama'),
    status: fc.constantFrom(0, 200, 204, 403, 502),
    outcome: fc.constantFrom('ok' as const, 'refused' as const, 'upstream_failed' as const),
    code: fc.constantFrom('', 'forbidden'),
    path: fc.constantFrom('/v1/chat', '/v1/Models'),
    detectors: fc.subarray(['github-pat', 'jwt']),
  })
  const records: ExchangeRecord[] = fc
    .sample(draw, 60)
    .map(({ who, detectors, ...fields }) =>
      recorded(who, { ...fields, findings: detectors.map((detector, i) => finding(i, detector)) }),
    )
  for (const record of records) stack.audit.append(record)
  await stack.audit.flush()
  const search = fc.record({
    person: fc.constantFrom('x', 'XE', 'xavi@', '@example.com'),
    subject: fc.constantFrom('', '', 'xy'),
    model: fc.constantFrom('', 'gpt', 'MINI'),
    connection: fc.constantFrom('', '', 'openai'),
    status: fc.constantFrom('', '', '2xx', '4xx', '200', '502'),
    outcome: fc.constantFrom('', '', 'ok', 'refused'),
    detector: fc.constantFrom('', '', 'jwt'),
    text: fc.constantFrom('', '', 'models', 'FORBIDDEN', 'github', 'xy@example', '127.0'),
  })
  const token = await stack.token('audra', ['audit'])
  const ours = new Set(records.map(({ id }) => id))
  for (const wanted of fc.sample(search, 20)) {
    const query = new URLSearchParams(wanted)
    const { json } = await stack.ask(`/api/v1/exchanges?${query}`, { token })
    const found = (json.exchanges as ExchangeItem[]).map(({ id }) => id).filter((id) => ours.has(id))
    const fitting = records.filter((record) => isWanted(exchangeFacts(record), exchangeWanted(query)))
    assert.deepEqual(found.sort(), fitting.map(({ id }) => id).sort(), String(query))
  }
})
