import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { FrameRecorder } from '../../src/proxy/frame_recorder.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const shown = (recorder: FrameRecorder) =>
  recorder.frames().map((frame) => `${frame.direction} ${Buffer.from(frame.bytes).toString()}`)

test('chunks of one moment become one frame, and a change of direction begins another', () => {
  const recorder = new FrameRecorder(performance.now(), 1000)
  for (const piece of ['a', 'b', 'c']) recorder.add('request', bytes(piece))
  for (const piece of ['d', 'e']) recorder.add('response', bytes(piece))
  assert.deepEqual(shown(recorder), ['request abc', 'response de'])
})

test('chunks that are apart in time stay apart, with their offsets', (context) => {
  let now = 1000
  mock.method(performance, 'now', () => now)
  context.after(() => mock.restoreAll())
  const recorder = new FrameRecorder(now, 1000)
  now += 5
  recorder.add('response', bytes('a'))
  now += limits.audit_frame_ms + 1
  recorder.add('response', bytes('b'))
  assert.deepEqual(
    recorder.frames().map((frame) => frame.offset_us),
    [5000, 5000 + (limits.audit_frame_ms + 1) * 1000],
  )
})

test('each direction is cut at its own limit and says so', () => {
  const recorder = new FrameRecorder(performance.now(), 5)
  recorder.add('request', bytes('1234'))
  assert.equal(recorder.truncated('request'), false)
  recorder.add('request', bytes('5678'))
  recorder.add('response', bytes('abc'))
  assert.equal(recorder.truncated('request'), true)
  assert.equal(recorder.truncated('response'), false)
  assert.deepEqual(shown(recorder), ['request 12345', 'response abc'])
})

test('with nothing to record, a body is truncated and there are no frames', () => {
  const recorder = new FrameRecorder(performance.now(), 0)
  recorder.add('request', bytes('x'))
  assert.deepEqual(recorder.frames(), [])
  assert.equal(recorder.truncated('request'), true)
})

test('what is added is copied, and no frame carries more than the frames of its exchange', () => {
  const recorder = new FrameRecorder(performance.now(), 1000)
  const chunk = bytes('abc')
  recorder.add('request', chunk)
  chunk.fill(0)
  const [frame] = recorder.frames()
  assert.equal(Buffer.from(frame!.bytes).toString(), 'abc')
  assert.equal(frame!.bytes.buffer.byteLength, 3)
})
