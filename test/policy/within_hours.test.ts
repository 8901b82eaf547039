import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withinHours } from '../../src/policy/within_hours.ts'

const minutes = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3))
const hours = (from: string, to: string, days = [0, 1, 2, 3, 4, 5, 6], timezone = 'UTC') => ({
  from_minute: minutes(from),
  to_minute: minutes(to),
  days,
  timezone,
})

test('hours begin with their first minute and end before their last', () => {
  const day = hours('08:00', '18:00')
  for (const [time, within] of [
    ['07:59:59', false],
    ['08:00:00', true],
    ['17:59:59', true],
    ['18:00:00', false],
  ] as const)
    assert.equal(withinHours(day, Date.parse(`2026-03-04T${time}Z`)), within, time)
  assert.ok(withinHours(hours('00:00', '24:00'), Date.parse('2026-03-04T23:59:59Z')))
})

test('hours over midnight belong to the day on which they begin', () => {
  const friday_night = hours('22:00', '06:00', [5])
  assert.ok(withinHours(friday_night, Date.parse('2026-03-06T22:00:00Z')), 'Friday evening')
  assert.ok(withinHours(friday_night, Date.parse('2026-03-07T05:59:00Z')), 'Saturday morning')
  assert.ok(!withinHours(friday_night, Date.parse('2026-03-06T05:00:00Z')), 'Friday morning')
  assert.ok(!withinHours(friday_night, Date.parse('2026-03-07T22:00:00Z')), 'Saturday evening')
})

test('the time is that of the zone, over the change of the clocks too', () => {
  const early = hours('02:00', '03:00', [0], 'Europe/Berlin')
  assert.ok(!withinHours(early, Date.parse('2026-03-29T00:59:00Z')), '01:59 before the clocks go forward')
  assert.ok(!withinHours(early, Date.parse('2026-03-29T01:00:00Z')), '03:00: there is no 02:00 on this day')
  assert.ok(withinHours(early, Date.parse('2026-10-25T00:30:00Z')), '02:30 in summer time')
  assert.ok(withinHours(early, Date.parse('2026-10-25T01:30:00Z')), '02:30 again in winter time')
  assert.ok(withinHours(hours('09:00', '10:00', [2], 'Asia/Kolkata'), Date.parse('2026-03-03T03:30:00Z')))
})
