import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { test } from 'node:test'
import {
  collide,
  formatListenAddress,
  isLoopback,
  parseListenAddress,
  reaches,
} from '../../src/config/addresses.ts'

test('a listen address has a host and a port, IPv6 in brackets', () => {
  assert.deepEqual(parseListenAddress('0.0.0.0:8080'), { host: '0.0.0.0', port: 8080 })
  assert.deepEqual(parseListenAddress('[::1]:0'), { host: '::1', port: 0 })
  assert.deepEqual(parseListenAddress('gateway.internal:80'), { host: 'gateway.internal', port: 80 })
  for (const wrong of [
    '8080',
    ':8080',
    '0.0.0.0',
    '1.2.3:80',
    '1.2.3.256:80',
    '::1:80',
    '[x]:80',
    'a:65536',
    'a b:1',
    'a:-1',
    'http://a:1',
  ]) {
    assert.equal(parseListenAddress(wrong), null, wrong)
  }
})

test('a listen address is written back as it was read', () => {
  for (const text of ['127.0.0.1:8081', '[::1]:8080'])
    assert.equal(formatListenAddress(parseListenAddress(text)!), text)
})

test('loopback is known by its names and addresses', () => {
  for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '[::1]', '::1', 'idp.localhost'])
    assert.ok(isLoopback(host), host)
  for (const host of ['0.0.0.0', '10.0.0.1', 'localhost.example.com', '128.0.0.1'])
    assert.ok(!isLoopback(host), host)
})

test("a target reaches a listener by any of this machine's names", () => {
  const any = { host: '0.0.0.0', port: 8080 }
  const loopback = { host: '127.0.0.1', port: 8080 }
  assert.ok(reaches('localhost', 8080, any))
  assert.ok(reaches(hostname(), 8080, any))
  assert.ok(reaches('[::1]', 8080, { host: '::', port: 8080 }))
  assert.ok(reaches('localhost', 8080, loopback))
  assert.ok(reaches('GATEWAY.internal', 8080, { host: 'gateway.internal', port: 8080 }))
  assert.ok(!reaches('localhost', 8081, any))
  assert.ok(!reaches('api.example.com', 8080, any))
  assert.ok(!reaches('localhost', 0, { host: '127.0.0.1', port: 0 }))
})

test('two listeners collide on the same port where their hosts overlap', () => {
  assert.ok(collide({ host: '0.0.0.0', port: 1 }, { host: '127.0.0.1', port: 1 }))
  assert.ok(collide({ host: 'a', port: 1 }, { host: 'A', port: 1 }))
  assert.ok(!collide({ host: '10.0.0.1', port: 1 }, { host: '127.0.0.1', port: 1 }))
  assert.ok(!collide({ host: '0.0.0.0', port: 0 }, { host: '0.0.0.0', port: 0 }))
})
