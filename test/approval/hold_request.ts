import { createHash, randomUUID } from 'node:crypto'
import type { HoldRequest } from '../../src/approval/approval.ts'
import type { Principal } from '../../src/policy/principal.ts'

/** A person in some groups; the subject is also the e-mail's local part. */
export function person(
  subject: string,
  groups: readonly string[] = [],
  fields: Partial<Principal> = {},
): Principal {
  return {
    subject,
    email: `${subject}@example.com`,
    groups,
    issuer: 'https://idp.example.com',
    proof: 'oidc',
    expires_at: 4_000_000_000,
    ...fields,
  }
}

export const ana = person('ana', ['ml-eng'])
export const omar = person('omar', ['security-oncall'])
export const zoe = person('zoe', ['security-oncall'])

/** What a worker sends for a held request. The same `text` from the same person has the same binding. */
export function holdRequest(text: string, fields: Partial<HoldRequest> = {}): HoldRequest {
  const principal = fields.principal ?? ana
  return {
    exchange_id: randomUUID(),
    binding: createHash('sha256').update(`${principal.subject}\n${text}`).digest('hex'),
    principal,
    connection: 'openai',
    method: 'POST',
    path: '/v1/chat/completions',
    model: 'gpt-5',
    rule: 'risky-words',
    triggers: ['export'],
    approvers: ['security-oncall'],
    preview: JSON.stringify({ model: 'gpt-5', messages: [{ role: 'user', content: text }] }),
    preview_truncated: false,
    content_type: 'application/json',
    body_bytes: 80,
    findings: [],
    policy_version: '1',
    hold_ms: 60_000,
    expires_ms: 60_000,
    ...fields,
  }
}
