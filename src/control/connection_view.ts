import { credentialName } from '../config/final_rules.ts'
import type { ApproveRule, Connection } from '../policy/snapshot.ts'
import type { ApproveRuleItem, ConnectionItem } from './api_shapes.ts'

/** A connection as people see it: of its credential only the header's name. */
export function connectionItem(connection: Connection): ConnectionItem {
  const { name, credential, request, response, unscannable, timeouts } = connection
  return {
    name,
    upstream: withoutUser(connection.upstream),
    credential_header: credentialName(credential),
    request,
    response,
    unscannable,
    timeouts,
    allow: connection.allow.map(({ groups, methods = [], paths = [], models = [] }) => ({
      groups,
      methods,
      paths,
      models,
    })),
    approve: connection.approve.map(approveRuleItem),
  }
}

function approveRuleItem(rule: ApproveRule): ApproveRuleItem {
  const { name, approvers, hold_ms, expires_ms } = rule
  const { groups = [], paths = [], models = [], keywords = [], findings = [] } = rule
  return {
    name,
    groups,
    paths,
    models,
    keywords,
    findings,
    approvers,
    hold_ms,
    expires_ms,
    min_approvals: rule.min_approvals ?? 1,
    grant_ms_max: rule.grant_ms_max ?? 0,
  }
}

/** The configuration refuses an address with a user in it; nothing of one must be shown all the same. */
function withoutUser(upstream: string): string {
  const url = new URL(upstream)
  url.username = ''
  url.password = ''
  url.search = ''
  return url.href.replace(/\/$/, '')
}
