import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog, type LogFormat } from '../src/log.ts'

function lines(format: LogFormat, isTTY = false) {
  const written: string[] = []
  const output = { write: (line: string) => written.push(line), isTTY }
  return { log: createLog({ format, output }), written }
}

test('each line is one JSON object with level, time and message', () => {
  const { log, written } = lines('json')
  log.info({ port: 8080, blocked: false, why: null, left_out: undefined }, 'listening')
  log.warn({}, 'careful')
  log.error({ path: 'a "b"\n' }, 'failed')
  const parsed = written.map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual(
    parsed.map(({ level, message }) => [level, message]),
    [
      ['info', 'listening'],
      ['warn', 'careful'],
      ['error', 'failed'],
    ],
  )
  assert.match(String(parsed[0]?.time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  const { level: _level, time: _time, message: _message, ...fields } = parsed[0]!
  assert.deepEqual(fields, { port: 8080, blocked: false, why: null })
  assert.ok(written.every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1))
})

test('text is for people, one line each, with line breaks escaped', () => {
  const { log, written } = lines('text')
  log.warn({ file: 'a/b.yaml', reason: 'two\nlines' }, 'reloaded')
  assert.match(
    written[0] ?? '',
    /^\d\d:\d\d:\d\d\.\d{3} warn {2}reloaded file=a\/b\.yaml reason="two\\nlines"\n$/,
  )
})

test('auto is text on a terminal and JSON elsewhere', () => {
  const terminal = lines('auto', true)
  terminal.log.info({}, 'x')
  assert.ok(!terminal.written[0]?.startsWith('{'))
  const pipe = lines('auto')
  pipe.log.info({}, 'x')
  assert.ok(pipe.written[0]?.startsWith('{'))
})

test('objects are not logged, long text is cut, and what is named like a credential is left out', () => {
  const { log, written } = lines('json')
  const marker = ['not', 'to', 'be', 'seen'].join('-')
  const careless = { body: { deep: marker }, list: [marker] } as unknown as Record<string, string>
  const named = {
    client_secret: marker,
    Authorization: marker,
    api_key: marker,
    password: marker,
    access_token: marker,
  }
  log.info({ ...careless, ...named, long: 'x'.repeat(5_000) }, 'careless')
  assert.ok(!written[0]?.includes(marker))
  assert.equal((JSON.parse(written[0] ?? '') as { long: string }).long.length, 2_000)
})
