import { decide } from '../policy/decide.ts'
import { approvalPossible, findApproveRule } from '../policy/find_approve_rule.ts'
import { normalisePath } from '../policy/normalise_path.ts'
import type { Principal } from '../policy/principal.ts'
import type { Connection } from '../policy/snapshot.ts'
import type { Finding } from '../scanner/finding.ts'
import type { PolicyAnswer, PolicyQuestion } from './api_shapes.ts'

/** What would become of a request, by the very functions that the data plane decides with. */
export function checkPolicy(
  connection: Connection,
  question: PolicyQuestion,
  findings: readonly Finding[],
): PolicyAnswer {
  const path = normalisePath(question.path)
  if (path === null) {
    return answer('deny', 'path_not_allowed', 'the path is ambiguous or not valid', question.path, findings)
  }
  const caller = anybodyIn(question.groups)
  const { method, model } = question
  const asked = { method, path, model, model_count: model === '' ? 0 : 1, now_ms: Date.now() }
  const decision = decide(connection, caller, asked)
  if (decision.outcome === 'deny') return answer('deny', decision.reason, decision.text, path, findings)
  const secrets = findings.some((finding) => finding.kind === 'secret')
  if (connection.request.secrets === 'block' && secrets) {
    return answer('blocked', 'secret_blocked', 'the request contains a secret', path, findings)
  }
  const triggered = findApproveRule(connection, caller, { method, path, model, findings })
  const may_be_held_by = connection.approve
    .filter((rule) => approvalPossible({ ...connection, approve: [rule] }, caller, path))
    .map((rule) => rule.name)
  if (triggered === null) {
    const text = 'an allow rule lets it through'
    return { ...answer('allow', '', text, path, findings), may_be_held_by }
  }
  const { name: rule, approvers } = triggered.rule
  const text = `the rule ${rule} holds it for ${approvers.join(', ')}`
  const held_by = { rule, triggers: triggered.triggers, approvers }
  return { ...answer('held', 'approval_pending', text, path, findings), held_by, may_be_held_by }
}

function answer(
  outcome: PolicyAnswer['outcome'],
  reason: string,
  text: string,
  path: string,
  findings: readonly Finding[],
): PolicyAnswer {
  return { outcome, reason, text, path, held_by: null, may_be_held_by: [], findings }
}

/** Rules look at nothing but the groups. */
function anybodyIn(groups: readonly string[]): Principal {
  return { subject: '', email: '', groups, issuer: '', proof: 'oidc', expires_at: 0 }
}
