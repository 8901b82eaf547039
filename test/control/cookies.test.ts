import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cookieValue, setCookie } from '../../src/control/cookies.ts'

test('a cookie is found by its whole name, and the first of that name counts', () => {
  assert.equal(cookieValue('a=1; sid=x; b=2', 'sid'), 'x')
  assert.equal(cookieValue('mysid=1;sid=x=y', 'sid'), 'x=y')
  assert.equal(cookieValue('sid=first; sid=second', 'sid'), 'first')
  assert.equal(cookieValue('sid', 'sid'), null)
  assert.equal(cookieValue('', 'sid'), null)
})

test('a cookie is never open to scripts or to other sites, and secure where that can be', () => {
  assert.equal(
    setCookie('a', 'v', { path: '/', max_age_s: 60, secure: true }),
    'a=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure',
  )
  assert.doesNotMatch(setCookie('a', 'v', { path: '/', max_age_s: 60, secure: false }), /Secure/)
})
