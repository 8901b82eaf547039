import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Approval } from '../../src/approval/approval.ts'
import { type Audit, type AuditOptions, openAudit } from '../../src/audit/audit.ts'
import type { ExchangeRecord, Frame } from '../../src/audit/exchange_record.ts'
import type { Log, LogFields } from '../../src/log.ts'

const begin_us = 1_760_000_000_123_456

/** A UUIDv7 of a given time, in ms since the epoch. */
export function uuidv7(ms: number): string {
  const time = ms.toString(16).padStart(12, '0')
  const random = randomUUID()
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15)}`
}

/** A record as the gateway makes them: one a microsecond, 1 KB in, 2 KB out unless said otherwise. */
export function madeUpRecord(n: number, changed: Partial<ExchangeRecord> = {}): ExchangeRecord {
  const started_at_us = begin_us + n
  const request = Buffer.from(
    JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: `question ${n} `.repeat(70) }] }),
  )
  const frames: Frame[] = [{ direction: 'request', offset_us: 210, bytes: new Uint8Array(request) }]
  for (let k = 0; k < 4; k++) {
    const text = `data: {"choices":[{"delta":{"content":"answer ${n}.${k} ${'and so on '.repeat(45)}"}}]}\n\n`
    frames.push({
      direction: 'response',
      offset_us: 40_000 + k * 900,
      bytes: new Uint8Array(Buffer.from(text)),
    })
  }
  return {
    id: uuidv7(Math.floor(started_at_us / 1000)),
    started_at_us,
    gateway: 'gateway-1',
    connection: n % 3 === 0 ? 'ollama' : 'openai',
    policy_version: 'b5c3',
    principal: {
      subject: `user-${n % 50}`,
      email: `user-${n % 50}@example.com`,
      groups: ['ml-eng', 'Zürich “beta”'],
      issuer: 'https://idp.example.com/realms/acme',
      proof: 'oidc',
      expires_at: 1_760_003_600,
    },
    client_address: '192.0.2.7',
    method: 'POST',
    path: '/v1/chat/completions',
    query: 'trace=1',
    model: 'gpt-4o',
    status: 200,
    outcome: 'ok',
    code: '',
    request: madeUpBody('application/json', request.length),
    response: madeUpBody('text/event-stream', 2_000),
    findings: [
      {
        detector: 'github-pat',
        kind: 'secret',
        channel: 'choices.0.delta.content',
        start: 12,
        end: 52,
        entropy: 4.37,
        fingerprint: '0123456789abcdef',
        masked: '[REDACTED:github-pat]',
        action: 'mask',
        direction: 'response',
      },
    ],
    frames,
    approval: null,
    timing: { authenticate_us: 41, scan_us: 312, upstream_first_byte_us: 38_000, total_us: 44_000 },
    ...changed,
  }
}

function madeUpBody(content_type: string, bytes: number): ExchangeRecord['request'] {
  return {
    content_type,
    bytes,
    scanned_bytes: bytes,
    unscanned_bytes: 0,
    unscanned_reason: '',
    truncated: false,
  }
}

export function madeUpApproval(n: number, changed: Partial<Approval> = {}): Approval {
  const { id, principal, findings } = madeUpRecord(n)
  const approval: Approval = {
    id: `apr_${String(n).padStart(20, '0')}`,
    state: 'pending',
    created_at: 1_760_000_000_500,
    expires_at: 1_760_003_600_500,
    exchange_id: id,
    binding: 'ab'.repeat(32),
    principal: principal as NonNullable<typeof principal>,
    connection: 'openai',
    method: 'POST',
    path: '/v1/chat/completions',
    model: 'gpt-4o',
    rule: 'risky-words',
    triggers: ['export'],
    approvers: ['security-oncall'],
    preview: '{"prompt":"export all “rows”"}',
    preview_truncated: false,
    content_type: 'application/json',
    body_bytes: 31,
    findings,
    findings_total: findings.length,
    policy_version: 'b5c3',
    hold_ms: 210_000,
    expires_ms: 3_600_000,
  }
  return { ...approval, ...changed }
}

/** A record with its frames as text, byte for character: short to print when two differ. */
export function readable(record: ExchangeRecord | null): unknown {
  return (
    record && {
      ...record,
      frames: record.frames.map((frame) => ({
        ...frame,
        bytes: Buffer.from(frame.bytes).toString('latin1'),
      })),
    }
  )
}

export interface LogLine {
  readonly level: string
  readonly fields: LogFields
  readonly message: string
}

/** Keeps what is logged. */
export function keptLog(): { log: Log; lines: LogLine[] } {
  const lines: LogLine[] = []
  const keep = (level: string) => (fields: LogFields, message: string) =>
    void lines.push({ level, fields, message })
  return { log: { info: keep('info'), warn: keep('warn'), error: keep('error') }, lines }
}

const folders: string[] = []
// Not in a hook: hooks run in the order of their registration, and what uses a folder is opened after it.
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

/** A new folder, removed when the process ends. */
export function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-audit-'))
  folders.push(folder)
  return folder
}

/** An open audit on the embedded engine that is closed when the test ends. */
export async function ownAudit(t: TestContext, changed: Partial<AuditOptions> = {}): Promise<Audit> {
  const folder = changed.folder ?? ownFolder()
  const audit = await openAudit({
    folder,
    clickhouse: null,
    retention_days: 36_500,
    log: keptLog().log,
    ...changed,
  })
  t.after(() => audit.close())
  return audit
}

/** The result of a query as objects. */
export async function rowsOf<T>(audit: Audit, sql: string): Promise<T[]> {
  const text = await audit.query(sql, 'JSONEachRow')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}
