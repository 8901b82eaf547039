import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordedFate } from '../../src/policy/decide_again.ts'

test('what became of a recorded exchange is told by its outcome, its code and its approval', () => {
  assert.equal(recordedFate('ok', '', ''), 'allowed')
  assert.equal(recordedFate('upstream_failed', 'upstream_cut', ''), 'allowed')
  assert.equal(recordedFate('client_aborted', '', ''), 'allowed')
  assert.equal(recordedFate('ok', '', 'apr_1'), 'held')
  assert.equal(recordedFate('denied', 'approval_denied', 'apr_1'), 'held')
  assert.equal(recordedFate('pending', 'approval_pending', ''), 'held')
  for (const code of ['forbidden', 'connection_unknown', 'path_not_allowed', 'secret_blocked'])
    assert.equal(recordedFate('refused', code, ''), 'denied', code)
  for (const code of ['token_missing', 'rate_limited', 'request_too_large', 'audit_unavailable'])
    assert.equal(recordedFate('refused', code, ''), null, code)
})
