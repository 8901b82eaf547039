import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mayDecide } from '../../src/approval/may_decide.ts'
import { ana, omar, person } from './hold_request.ts'

const asked = { principal: ana, approvers: ['security-oncall', 'leads'] }

test('a member of any approver group may decide', () => {
  assert.equal(mayDecide(asked, omar), 'yes')
  assert.equal(mayDecide(asked, person('lea', ['x', 'leads'])), 'yes')
})

test('nobody else may, whatever else they are', () => {
  assert.equal(mayDecide(asked, person('root', ['platform', 'admin'])), 'not_an_approver')
  assert.equal(mayDecide(asked, person('near', ['Security-Oncall', 'lead'])), 'not_an_approver')
  assert.equal(mayDecide({ ...asked, approvers: [] }, omar), 'not_an_approver')
})

test("one's own request is recognised by issuer and subject, whatever the e-mail and the groups", () => {
  assert.equal(mayDecide(asked, person('ana', ['security-oncall'], { email: '' })), 'self')
  assert.equal(mayDecide(asked, person('ana', ['security-oncall'], { email: 'other@example.com' })), 'self')
})

test("one's own request is recognised by the e-mail address from another issuer, however it is written", () => {
  const elsewhere = { issuer: 'https://other.example.com' }
  for (const email of ['ana@example.com', 'ANA@Example.com', ' ana@example.com ', 'ａna@example.com']) {
    assert.equal(
      mayDecide(asked, person('4711', ['security-oncall'], { ...elsewhere, email })),
      'self',
      email,
    )
  }
  assert.equal(
    mayDecide(asked, person('ana', ['security-oncall'], { ...elsewhere, email: 'a@b.example' })),
    'yes',
  )
})

test('two people without an e-mail address are not the same person for that', () => {
  const caller = person('svc', [], { email: '' })
  assert.equal(mayDecide({ ...asked, principal: caller }, person('omar', ['leads'], { email: '' })), 'yes')
})
