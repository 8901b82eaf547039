import type { ApproveRuleItem, RuleItem } from '../../src/control/api_shapes.ts'
import { settingText } from './number_text.ts'

/** An allow rule as a sentence. */
export function AllowRule({ rule }: { rule: RuleItem }) {
  return (
    <li class="rule">
      <Words of={rule.groups} /> may <Words of={rule.methods} none="use any method" /> on{' '}
      <Words of={rule.paths} none="any path" code /> with <Words of={rule.models} none="any model" code />
    </li>
  )
}

/** An approve rule as a sentence. */
export function ApproveRule({ rule }: { rule: ApproveRuleItem }) {
  const conditions = [
    rule.keywords.length > 0 && ['words', rule.keywords],
    rule.findings.length > 0 && ['findings', rule.findings],
    rule.models.length > 0 && ['models', rule.models],
    rule.paths.length > 0 && ['paths', rule.paths],
    rule.groups.length > 0 && ['callers in', rule.groups],
  ].filter((one): one is [string, readonly string[]] => one !== false)
  return (
    <li class="rule">
      <strong>{rule.name}</strong> holds{' '}
      {conditions.length === 0
        ? 'everything'
        : conditions.map(([kind, values], i) => (
            <span key={kind}>
              {i > 0 && ' and '}
              {kind} <Words of={values} trigger={kind === 'words'} />
            </span>
          ))}{' '}
      for <Words of={rule.approvers} />
      <span class="dim">
        {' '}
        · caller waits {settingText(rule.hold_ms)} · valid {settingText(rule.expires_ms)}
        {rule.min_approvals > 1 && ` · ${rule.min_approvals} people must approve`}
        {rule.grant_ms_max > 0 && ` · grants up to ${settingText(rule.grant_ms_max)}`}
      </span>
    </li>
  )
}

function Words({
  of,
  none = 'anybody',
  code = false,
  trigger = false,
}: {
  of: readonly string[]
  none?: string
  code?: boolean
  trigger?: boolean
}) {
  if (of.length === 0) return <span class="dim">{none}</span>
  return (
    <>
      {of.map((one, i) => (
        <span key={one}>
          {i > 0 && ' '}
          {code ? <code>{one}</code> : <span class={`chip ${trigger ? 'trigger' : ''}`}>{one}</span>}
        </span>
      ))}
    </>
  )
}
