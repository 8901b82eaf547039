import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { checkEvidence } from '../../src/audit/evidence.ts'
import { headSigner, newSigningKey } from '../../src/audit/tree_head.ts'
import { runSluice } from '../cli/sluice_process.ts'
import { exchangesWhere, sql } from './read_audit.ts'
import { type Stack, startStack } from './stack.ts'

let stack: Stack
let ids: string[]
let evidence_file: string
let key_file: string

before(async () => {
  stack = await startStack({ script: { deltas: ['hello ', 'there, ', 'é 🦊'], leak: '' } })
  const token = await stack.token('ana')
  for (const content of ['one', 'two', 'three']) {
    const answer = await fetch(`${stack.proxy}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content }] }),
    })
    await answer.text()
  }
  ids = (await exchangesWhere(stack, 'status = 200', 3)).map(({ id }) => String(id))
  evidence_file = join(stack.folder, 'evidence.json')
  key_file = join(stack.folder, 'gateway.pem')
})
after(() => stack?.close())

async function sluice(person: string, ...args: string[]) {
  return runSluice(args, { env: { SLUICE_URL: stack.control, SLUICE_TOKEN: await stack.token(person) } })
}

test('sluice audit verify finds the audit as it was written, for auditors alone', async () => {
  const { code, stdout } = await sluice('omar', 'audit', 'verify')
  assert.equal(code, 0, stdout)
  assert.match(stdout, /^3 records in 1 logs, \d+ signed heads/)
  assert.match(stdout, /nothing was changed/)
  assert.equal((await sluice('ana', 'audit', 'verify')).code, 1)
})

test('exported evidence is genuine offline under the gateway’s key, and under no other', async () => {
  const keys = await sluice('omar', 'audit', 'keys')
  await writeFile(key_file, keys.stdout)
  const exported = await sluice('omar', 'audit', 'export', ids[1] ?? '', '--out', evidence_file)
  assert.equal(exported.code, 0, exported.stderr)
  const checked = await runSluice(['audit', 'check', evidence_file, '--key', key_file])
  assert.equal(checked.code, 0, checked.stdout)
  assert.ok(checked.stdout.includes(`genuine: exchange ${ids[1]}`))
  const other = join(stack.folder, 'other.pem')
  await writeFile(other, headSigner(newSigningKey()).public_key)
  const refused = await runSluice(['audit', 'check', evidence_file, '--key', other])
  assert.equal(refused.code, 1)
  assert.match(refused.stdout, /NOT GENUINE/)
  assert.equal((await sluice('omar', 'audit', 'export', 'nobody')).code, 1)
  assert.equal((await runSluice(['audit', 'check', evidence_file])).code, 2)
})

test('evidence of which any byte was changed, added or left out is not genuine', async () => {
  const bytes = await readFile(evidence_file)
  const key = await readFile(key_file, 'utf8')
  assert.equal(checkEvidence(bytes.toString(), key), null)
  for (let at = 0; at < bytes.length; at++) {
    for (const changed of [(bytes[at] ?? 0) ^ 1, (bytes[at] ?? 0) ^ 0x20]) {
      const copy = Buffer.from(bytes)
      copy[at] = changed
      assert.notEqual(checkEvidence(copy.toString(), key), null, `byte ${at} as ${changed}`)
    }
    if (at % 7 > 0) continue
    const without = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])
    assert.notEqual(checkEvidence(without.toString(), key), null, `without byte ${at}`)
  }
  for (const added of [` ${bytes}`, `${bytes}\n`, `\ufeff${bytes}`]) {
    assert.notEqual(checkEvidence(added, key), null)
  }
})

test('sluice replay plays an exchange at its own pace, or faster', async () => {
  const { code, stdout } = await sluice('omar', 'replay', ids[0] ?? '', '--speed', '0')
  assert.equal(code, 0)
  assert.match(stdout, /ana@example.com: POST \/v1\/chat\/completions on openai/)
  assert.match(stdout, /▶ request after [\d.]+ s\n.*"one"/)
  assert.match(stdout, /◀ response after [\d.]+ s\n.*hello /s)
  assert.match(stdout, /é 🦊/)
  assert.match(stdout, /200 ok after [\d.]+ s\n$/)
  assert.equal((await sluice('omar', 'replay', ids[0] ?? '', '--speed', 'fast')).code, 2)
  assert.equal((await sluice('ana', 'replay', ids[0] ?? '')).code, 1)
})

test('sluice audit sessions prints each exchange with its frames as a line of JSON', async () => {
  const { code, stdout } = await sluice('omar', 'audit', 'sessions', '--since', '1h', '--format', 'jsonl')
  assert.equal(code, 0)
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual(
    lines.map(({ id }) => id),
    ids.toReversed(),
  )
  for (const { frames } of lines) assert.ok((frames as unknown[]).length >= 2)
  const later = new Date(Date.now() + 3_000).toISOString()
  assert.equal((await sluice('omar', 'audit', 'sessions', '--since', later)).stdout, '')
  assert.equal((await sluice('omar', 'audit', 'sessions', '--since', 'yesterday')).code, 2)
})

test('sluice audit erase takes a person’s bodies for good, for administrators alone and with a reason', async () => {
  const [caller] = await sql(stack, 'SELECT any(subject) AS subject FROM exchanges WHERE status = 200')
  const person = String(caller?.subject)
  const erase = ['audit', 'erase', '--person', person]
  assert.equal((await sluice('omar', ...erase)).code, 2)
  assert.equal((await sluice('ana', ...erase, '--reason', 'mine')).code, 1)
  const { code, stdout, stderr } = await sluice('omar', ...erase, '--reason', 'ticket 4711')
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^erased: \d+ bytes in \d+ pieces of 3 exchanges\n$/)
  const replayed = await sluice('omar', 'replay', ids[0] ?? '', '--speed', '0')
  assert.match(replayed.stdout, /its bodies were erased\n$/)
  assert.ok(!replayed.stdout.includes('hello'))
  const verified = await sluice('omar', 'audit', 'verify')
  assert.equal(verified.code, 0, verified.stdout)
  assert.match(verified.stdout, /3 erased: their bodies are gone/)
  assert.match(verified.stdout, /nothing was changed/)
  const recorded = await sql(stack, 'SELECT action, target, email, detail FROM admin_changes')
  assert.deepEqual(
    recorded.map(({ action, target, email }) => [action, target, email]),
    [['audit.erase', person, 'omar@example.com']],
  )
  assert.match(String(recorded[0]?.detail), /ticket 4711/)
  await sluice('omar', 'audit', 'export', ids[1] ?? '', '--out', evidence_file)
  const checked = await runSluice(['audit', 'check', evidence_file, '--key', key_file])
  assert.match(checked.stdout, /^genuine: .*\n.*\n(\d+) of \1 pieces of its bodies were erased\n$/)
})
