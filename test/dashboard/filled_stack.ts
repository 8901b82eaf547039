import type { ExchangeRecord, RecordedFinding } from '../../src/audit/exchange_record.ts'
import { holdRequest, person } from '../approval/hold_request.ts'
import { type ControlStack, startControlStack } from '../control/control_stack.ts'
import { finding, frame, recorded } from '../control/recorded.ts'

/** Whom the demo's provider knows as an approver is everything here, so that one sign-in sees every page. */
const every_role = '{ admin: [security-oncall], approver: [security-oncall], auditor: [security-oncall] }'

/** What a gateway in good health says. */
const health = {
  gateway: 'edge-1',
  policy: 'b5c3f2a09d1e',
  workers: { listening: 2, configured: 2 },
  issuers: [{ issuer: 'https://idp.example.com/realms/acme', keys: 2 }],
  audit: {
    blocked: false,
    clickhouse: 'ready',
    spool_rows: 0,
    spool_bytes: 0,
    inserted_rows: 401,
    failed_batches: 0,
    dropped: 0,
    rejected_rows: 0,
  },
}

const people = ['ana', 'bea', 'cleo', 'dora', 'emil', 'fritz', 'gus']
const detectors = [
  'github-pat',
  'aws-access-key-id',
  'stripe-secret-key',
  'slack-bot-token',
  'generic-key-value',
  'jwt',
  'url-password',
  'private-key',
]
const models = ['gpt-5', 'gpt-5-mini', 'claude-opus', 'llama']

/** A control plane with a day of records and some held requests; the same ones each time, but for the time of day. */
export async function startFilledStack(): Promise<ControlStack> {
  const stack = await startControlStack(every_role, health)
  const random = seeded(7)
  const now_us = Date.now() * 1000
  for (let i = 0; i < 400; i++) {
    // Most of it lately, so that the last hour has traffic too.
    const ago_us = Math.floor(random() ** 3 * 23 * 3_600_000_000) + 1_000_000
    stack.audit.append(madeUp(random, now_us - ago_us))
  }
  stack.audit.append(streamed(now_us - 400_000))
  await stack.audit.flush()
  return stack
}

/** Requests that wait: one of somebody's, with findings and words marked. */
export async function holdSome(stack: ControlStack): Promise<void> {
  const asked: readonly [string, string, string][] = [
    ['ana', 'Please export the customer list of March as CSV', 'gpt-5'],
    ['bea', 'Write this token into the deployment and export the result', 'claude-opus'],
    ['cleo', 'export all rows of table payments', 'gpt-5-mini'],
  ]
  for (const [who, text, model] of asked) {
    const messages = [
      { role: 'system', content: 'You are a careful assistant with access to the billing database.' },
      { role: 'user', content: `${text}. The key is [REDACTED:stripe-secret-key].` },
    ]
    await stack.ledger.hold(
      holdRequest(text, {
        principal: person(who, ['ml-eng']),
        model,
        preview: JSON.stringify({ model, stream: true, messages }),
        triggers: ['export'],
        findings: [
          { ...finding(4, 'stripe-secret-key'), channel: 'messages.1.content' },
          {
            ...finding(0, 'keyword'),
            kind: 'keyword',
            fingerprint: '',
            masked: 'export',
            entropy: 0,
            action: 'flag',
          },
        ],
        body_bytes: 412,
        grant_ms_max: 3_600_000,
        ...(who === 'bea' && { min_approvals: 2 }),
        expires_ms: 3_600_000,
      }),
    )
  }
}

function madeUp(random: () => number, started_at_us: number): ExchangeRecord {
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() ** 1.6 * from.length)]!
  const findings: RecordedFinding[] = []
  if (random() < 0.4) {
    for (let i = 0; i <= random() * 2; i++) {
      const kind = Math.floor(random() ** 2 * detectors.length)
      findings.push(
        finding(
          kind * 7 + Math.floor(random() * 6),
          detectors[kind]!,
          random() < 0.6 ? 'request' : 'response',
        ),
      )
    }
  }
  const end = random()
  const [status, outcome, code] =
    end < 0.88
      ? ([200, 'ok', ''] as const)
      : end < 0.93
        ? ([403, 'refused', 'forbidden'] as const)
        : end < 0.97
          ? ([403, 'denied', 'approval_denied'] as const)
          : ([502, 'upstream_failed', 'upstream_unreachable'] as const)
  const scan_us = 80 + Math.floor(random() * 400)
  const first_us = 90_000 + Math.floor(random() * 900_000)
  return recorded(pick(people), {
    started_at_us,
    connection: random() < 0.7 ? 'openai' : 'ollama',
    model: pick(models),
    status,
    outcome,
    code,
    findings,
    timing: {
      authenticate_us: 20 + Math.floor(random() * 60),
      scan_us,
      upstream_first_byte_us: first_us,
      total_us: first_us + 200_000 + Math.floor(random() * 3_000_000),
    },
  })
}

const answer =
  'Here is how to rotate it. First, revoke the old key in the console: [REDACTED:github-pat] must not be used again. ' +
  'Then create a new one, give it only the scopes it needs, and put it into the secret manager. Last, restart the workers.'

/** An answer that came word by word in about two seconds. */
function streamed(started_at_us: number): ExchangeRecord {
  const words = answer.split(/(?<= )/)
  const frames = words.map((word, i) =>
    frame(
      'response',
      300_000 + i * 45_000,
      `data: ${JSON.stringify({ choices: [{ delta: { content: word } }] })}\n\n`,
    ),
  )
  const ask = {
    model: 'gpt-5',
    stream: true,
    messages: [{ role: 'user', content: 'How do I rotate [REDACTED:github-pat]?' }],
  }
  const total_us = 300_000 + words.length * 45_000
  const record = recorded('ana', { started_at_us })
  return {
    ...record,
    findings: [finding(1, 'github-pat', 'request'), finding(1)],
    request: { ...record.request, bytes: 162, scanned_bytes: 162 },
    response: { ...record.response, content_type: 'text/event-stream', bytes: 4_100, scanned_bytes: 4_100 },
    frames: [frame('request', 320, JSON.stringify(ask)), ...frames],
    approval: { id: `apr_${'a'.repeat(20)}`, outcome: 'approved', by: 'omar@example.com', held_us: 240_000 },
    timing: { authenticate_us: 55, scan_us: 240, upstream_first_byte_us: 59_000, total_us },
  }
}

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
