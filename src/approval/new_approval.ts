import { randomBytes } from 'node:crypto'
import { limits } from '../config/limits.ts'
import type { Approval, HoldRequest } from './approval.ts'
import { excerptOf } from './asked.ts'

const base32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** `apr_` and 20 characters of base32: 100 random bits. */
export const approval_id_shape = /^apr_[a-z2-7]{20}$/

/** The pending approval that a held request opens. What is longer than its limit is cut, and says so. */
export function newApproval(request: HoldRequest, now: number): Approval {
  const { preview, cut } = boundedPreview(request.preview)
  return {
    ...request,
    id: newApprovalId(),
    state: 'pending',
    created_at: now,
    expires_at: now + request.expires_ms,
    preview,
    excerpt: excerptOf(preview),
    preview_truncated: request.preview_truncated || cut,
    findings: request.findings.slice(0, limits.approval_findings_max),
    findings_total: request.findings.length,
  }
}

/** The request of another exchange that waits for the same thing. */
export function holdRequestOf(approval: Approval, exchange_id: string): HoldRequest {
  const {
    id,
    state,
    created_at,
    expires_at,
    excerpt,
    findings_total,
    decision,
    votes,
    grant_id,
    used_by,
    ...request
  } = approval
  return { ...request, exchange_id }
}

function newApprovalId(): string {
  let id = 'apr_'
  for (const byte of randomBytes(20)) id += base32[byte & 31]
  return id
}

function boundedPreview(preview: string): { preview: string; cut: boolean } {
  const bytes = Buffer.from(preview)
  if (bytes.byteLength <= limits.approval_preview_bytes_max) return { preview, cut: false }
  // A character that the cut falls into is dropped whole.
  const text = new TextDecoder().decode(bytes.subarray(0, limits.approval_preview_bytes_max), {
    stream: true,
  })
  return { preview: text, cut: true }
}
