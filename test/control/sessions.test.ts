import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { Sessions } from '../../src/control/sessions.ts'
import { omar, zoe } from '../approval/hold_request.ts'

test('a session is found by its id until it ends, and its end is told once', () => {
  const sessions = new Sessions()
  const ended: string[] = []
  sessions.onEnd((id) => ended.push(id))
  const mine = sessions.open(omar)
  assert.match(mine.id, /^[\w-]{43}$/)
  assert.equal(sessions.get(mine.id)?.person, omar)
  assert.notEqual(sessions.open(zoe).id, mine.id)
  sessions.end(mine.id)
  sessions.end(mine.id)
  assert.equal(sessions.get(mine.id), null)
  assert.deepEqual(ended, [mine.id])
  sessions.close()
})

test('a session ends by itself, however busy it is', () => {
  let now = 0
  const sessions = new Sessions(() => now)
  const { id } = sessions.open(omar)
  for (now = 0; now < limits.session_ms_max; now += limits.session_ms_max / 8) assert.ok(sessions.get(id))
  now = limits.session_ms_max
  assert.equal(sessions.get(id), null)
  sessions.close()
})

test('the oldest session makes room when there are too many', () => {
  const sessions = new Sessions()
  const first = sessions.open(omar)
  const second = sessions.open(omar)
  for (let i = 0; i < limits.sessions_max - 1; i++) sessions.open(zoe)
  assert.equal(sessions.get(first.id), null)
  assert.ok(sessions.get(second.id))
  sessions.close()
})
