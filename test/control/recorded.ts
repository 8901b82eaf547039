import { randomUUID } from 'node:crypto'
import type { ExchangeRecord, Frame, RecordedFinding } from '../../src/audit/exchange_record.ts'
import { person } from '../approval/hold_request.ts'

const body = { bytes: 40, scanned_bytes: 40, unscanned_bytes: 0, unscanned_reason: '', truncated: false }

/** A recorded exchange of `who`, begun just now unless said otherwise. */
export function recorded(who: string, changed: Partial<ExchangeRecord> = {}): ExchangeRecord {
  return {
    id: `01990000-0000-7000-8000-${randomUUID().slice(-12)}`,
    started_at_us: Date.now() * 1000,
    gateway: 'test-gateway',
    connection: 'openai',
    policy_version: '1',
    principal: person(who, ['ml-eng']),
    client_address: '127.0.0.1',
    method: 'POST',
    path: '/v1/chat/completions',
    query: '',
    model: 'gpt-5',
    status: 200,
    outcome: 'ok',
    code: '',
    request: { content_type: 'application/json', ...body },
    response: { content_type: 'text/plain', ...body },
    findings: [],
    frames: [
      frame('request', 300, '{"ask":"what is the token?"}'),
      frame('response', 40_000, 'it is '),
      frame('response', 240_000, '[REDACTED:github-pat]'),
      frame('response', 440_000, ', they say'),
    ],
    approval: null,
    timing: { authenticate_us: 60, scan_us: 240, upstream_first_byte_us: 39_000, total_us: 441_000 },
    ...changed,
  }
}

/** A piece of a body. */
export function frame(direction: Frame['direction'], offset_us: number, text: string | Uint8Array): Frame {
  return { direction, offset_us, bytes: Buffer.from(text as string) }
}

/** A masked secret; `n` stands for which one. */
export function finding(
  n: number,
  detector = 'github-pat',
  direction: Frame['direction'] = 'response',
): RecordedFinding {
  return {
    detector,
    kind: 'secret',
    channel: 'body',
    start: 6,
    end: 46,
    entropy: 4.4,
    fingerprint: n.toString(16).padStart(16, '0'),
    masked: `[REDACTED:${detector}]`,
    action: 'mask',
    direction,
  }
}
