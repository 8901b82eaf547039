import assert from 'node:assert/strict'
import { test } from 'node:test'
import { approvalPossible, findApproveRule } from '../../src/policy/find_approve_rule.ts'
import type { ApproveRule, ScannedRequest } from '../../src/policy/snapshot.ts'
import { aConnection, aPrincipal } from './examples.ts'

const rule = (changes: Partial<ApproveRule>): ApproveRule => ({
  name: 'risky',
  approvers: ['security'],
  hold_ms: 1000,
  expires_ms: 2000,
  ...changes,
})
const keyword = (word: string) => ({ detector: 'keyword', kind: 'keyword' as const, masked: word })
const secret = (detector: string) => ({ detector, kind: 'secret' as const, masked: `[REDACTED:${detector}]` })
const request = (changes: Partial<ScannedRequest> = {}): ScannedRequest => ({
  method: 'POST',
  path: '/v1/chat/completions',
  model: 'gpt-4o',
  findings: [],
  ...changes,
})
const find = (approve: ApproveRule[], asked: ScannedRequest, groups = ['ml']) =>
  findApproveRule(aConnection({ approve }), aPrincipal({ groups }), asked)

test('a keyword in the request triggers the rule that lists it, whatever its case', () => {
  const found = find(
    [rule({ keywords: ['export', 'write'] })],
    request({ findings: [keyword('Export'), keyword('export')] }),
  )
  assert.deepEqual(found?.triggers, ['export'])
  assert.equal(find([rule({ keywords: ['export'] })], request({ findings: [keyword('write')] })), null)
})

test('a secret is not a keyword and a keyword is not a secret', () => {
  assert.equal(find([rule({ keywords: ['x'] })], request({ findings: [secret('x')] })), null)
  assert.equal(find([rule({ findings: ['*'] })], request({ findings: [keyword('x')] })), null)
})

test('findings match by detector id or by a star for any', () => {
  assert.deepEqual(
    find([rule({ findings: ['*'] })], request({ findings: [secret('a'), secret('b')] }))?.triggers,
    ['a', 'b'],
  )
  assert.deepEqual(
    find([rule({ findings: ['b'] })], request({ findings: [secret('a'), secret('b')] }))?.triggers,
    ['b'],
  )
})

test('every kind of trigger that a rule names must match', () => {
  const both = rule({ keywords: ['export'], models: ['gpt-*'] })
  assert.equal(find([both], request({ findings: [keyword('export')], model: 'claude' })), null)
  assert.deepEqual(find([both], request({ findings: [keyword('export')] }))?.triggers, [
    'export',
    'model:gpt-4o',
  ])
})

test('rules go in order, and the first that triggers holds', () => {
  const rules = [
    rule({ name: 'one', keywords: ['a'] }),
    rule({ name: 'two', keywords: ['b'] }),
    rule({ name: 'three' }),
  ]
  assert.equal(find(rules, request({ findings: [keyword('b'), keyword('a')] }))?.rule.name, 'one')
  assert.equal(find(rules, request({ findings: [keyword('b')] }))?.rule.name, 'two')
  const all = find(rules, request())
  assert.equal(all?.rule.name, 'three')
  assert.deepEqual(all?.triggers, ['three'])
})

test('a rule for certain groups or paths concerns nobody and nothing else', () => {
  const connection = aConnection({ approve: [rule({ groups: ['interns'], paths: ['/v1/**'] })] })
  assert.equal(approvalPossible(connection, aPrincipal({ groups: ['ml'] }), '/v1/x'), false)
  assert.equal(approvalPossible(connection, aPrincipal({ groups: ['interns'] }), '/v2/x'), false)
  assert.equal(approvalPossible(connection, aPrincipal({ groups: ['interns'] }), '/v1/x'), true)
  assert.equal(findApproveRule(connection, aPrincipal({ groups: ['ml'] }), request()), null)
})

test('with secrets: approve, a secret that no rule names is held for everybody who may decide any rule', () => {
  const connection = aConnection({
    request: { secrets: 'approve', style: 'label' },
    approve: [rule({ keywords: ['x'], approvers: ['a'] }), rule({ keywords: ['y'], approvers: ['a', 'b'] })],
  })
  const found = findApproveRule(connection, aPrincipal(), request({ findings: [secret('github-pat')] }))
  assert.deepEqual(found?.rule.approvers, ['a', 'b'])
  assert.deepEqual(found?.triggers, ['github-pat'])
  assert.equal(findApproveRule(connection, aPrincipal(), request()), null)
})
