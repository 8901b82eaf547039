import type { Approval } from '../approval/approval.ts'
import type { Principal } from '../policy/principal.ts'
import type { AdminChange } from './admin_change.ts'
import type { Row } from './clickhouse_client.ts'
import type { ExchangeRecord, RecordedBody } from './exchange_record.ts'
import type { AuditTable } from './batch_plan.ts'
import type { SpooledRecord } from './spool.ts'

/** Tables that a record has rows in, in the order in which they are inserted. */
export const tables_of: Readonly<Record<SpooledRecord['kind'], readonly AuditTable[]>> = {
  exchange: ['frames', 'findings', 'exchanges'],
  approval: ['approvals'],
  admin_change: ['admin_changes'],
}

/** The rows of one spooled record in one table, as JSONEachRow objects. */
export function tableRows(
  table: AuditTable,
  log_id: string,
  sequence: number,
  spooled: SpooledRecord,
): Row[] {
  if (!tables_of[spooled.kind].includes(table)) return []
  const place = { log_id, sequence }
  if (spooled.kind === 'approval')
    return [{ ...place, ...approvalRow(spooled.approval, spooled.recorded_at_us), salt: spooled.salt ?? '' }]
  if (spooled.kind === 'admin_change')
    return [{ ...place, ...adminChangeRow(spooled.change, spooled.recorded_at_us) }]
  switch (table) {
    case 'exchanges':
      return [{ ...place, ...exchangeRow(spooled.record) }]
    case 'findings':
      return findingRows(spooled.record)
    default:
      return frameRows(spooled.record, spooled.salt ?? '')
  }
}

function exchangeRow(record: ExchangeRecord): Row {
  return {
    id: record.id,
    started_at: microseconds(record.started_at_us),
    gateway: text(record.gateway),
    connection: text(record.connection),
    policy_version: text(record.policy_version),
    ...principalColumns(record.principal),
    client_address: text(record.client_address),
    method: text(record.method),
    path: text(record.path),
    query: text(record.query),
    model: text(record.model),
    status: record.status,
    outcome: record.outcome,
    code: text(record.code),
    ...bodyColumns('request', record.request),
    ...bodyColumns('response', record.response),
    findings_count: record.findings.length,
    detectors: [...new Set(record.findings.map(({ detector }) => text(detector)))],
    frames_count: record.frames.length,
    approval_id: text(record.approval?.id ?? ''),
    approval_outcome: text(record.approval?.outcome ?? ''),
    approval_by: text(record.approval?.by ?? ''),
    approval_held_us: record.approval?.held_us ?? 0,
    approval_grant_id: text(record.approval?.grant_id ?? ''),
    ...record.timing,
  }
}

function principalColumns(principal: Principal | null): Row {
  return {
    subject: text(principal?.subject ?? ''),
    email: text(principal?.email ?? ''),
    groups: principal?.groups.map(text) ?? [],
    issuer: text(principal?.issuer ?? ''),
    proof: principal?.proof ?? '',
    proof_expires_at: principal?.expires_at ?? 0,
  }
}

function bodyColumns(side: 'request' | 'response', body: RecordedBody): Row {
  return {
    [`${side}_content_type`]: text(body.content_type),
    [`${side}_bytes`]: body.bytes,
    [`${side}_scanned_bytes`]: body.scanned_bytes,
    [`${side}_unscanned_bytes`]: body.unscanned_bytes,
    [`${side}_unscanned_reason`]: text(body.unscanned_reason),
    [`${side}_truncated`]: body.truncated,
  }
}

function findingRows(record: ExchangeRecord): Row[] {
  return record.findings.map((finding, sequence) => ({
    exchange_id: record.id,
    started_at: microseconds(record.started_at_us),
    sequence,
    connection: text(record.connection),
    subject: text(record.principal?.subject ?? ''),
    direction: finding.direction,
    detector: text(finding.detector),
    kind: finding.kind,
    channel: text(finding.channel),
    start: finding.start,
    end: finding.end,
    entropy: finding.entropy,
    fingerprint: text(finding.fingerprint),
    masked: text(finding.masked),
    action: finding.action,
  }))
}

/**
 * Frames hold any bytes, JSON holds only Unicode text, and the embedded engine's connection passes inserts as text: a
 * binary format would arrive damaged. Base64 costs a third more on the way and nothing at rest: ClickHouse decodes it.
 */
function frameRows(record: ExchangeRecord, salt: string): Row[] {
  return record.frames.map(({ direction, offset_us, bytes }, sequence) => ({
    exchange_id: record.id,
    started_at: microseconds(record.started_at_us),
    sequence,
    direction,
    offset_us,
    salt,
    bytes_base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
  }))
}

function approvalRow(approval: Approval, recorded_at_us: number): Row {
  const { decision } = approval
  return {
    id: text(approval.id),
    started_at: microseconds(recorded_at_us),
    state: approval.state,
    created_at: milliseconds(approval.created_at),
    expires_at: milliseconds(approval.expires_at),
    exchange_id: approval.exchange_id,
    used_by: text(approval.used_by ?? ''),
    binding: text(approval.binding),
    connection: text(approval.connection),
    policy_version: text(approval.policy_version),
    ...principalColumns(approval.principal),
    method: text(approval.method),
    path: text(approval.path),
    model: text(approval.model),
    rule: text(approval.rule),
    triggers: approval.triggers.map(text),
    approvers: approval.approvers.map(text),
    preview: text(approval.preview),
    preview_truncated: approval.preview_truncated,
    content_type: text(approval.content_type),
    body_bytes: approval.body_bytes,
    findings: text(JSON.stringify(approval.findings)),
    findings_total: approval.findings_total,
    hold_ms: approval.hold_ms,
    expires_ms: approval.expires_ms,
    decided_at: milliseconds(decision?.at ?? 0),
    decided_by: text(decision?.by ?? ''),
    decided_by_email: text(decision?.by_email ?? ''),
    reason: text(decision?.reason ?? ''),
    grant_id: text(approval.grant_id ?? ''),
    preview_digest: text(decision?.preview_digest ?? ''),
  }
}

function adminChangeRow(change: AdminChange, recorded_at_us: number): Row {
  return {
    started_at: microseconds(recorded_at_us),
    gateway: text(change.gateway),
    action: change.action,
    target: text(change.target),
    detail: text(JSON.stringify(change.detail)),
    ...principalColumns(change.principal),
  }
}

/** Microseconds since the epoch as UTC text: the only form that ClickHouse reads alike in every version and setting. */
export function microseconds(us: number): string {
  return `${milliseconds(us / 1000)}${String(Math.floor(us) % 1000).padStart(3, '0')}`
}

/** Milliseconds since the epoch as UTC text. Throws a RangeError when there is no such time. */
function milliseconds(ms: number): string {
  return new Date(Math.floor(ms)).toISOString().replace('T', ' ').replace('Z', '')
}

/** A lone surrogate has no UTF-8 form, and ClickHouse would refuse its JSON escape together with the whole row. */
function text(value: string): string {
  return value.isWellFormed() ? value : value.toWellFormed()
}
