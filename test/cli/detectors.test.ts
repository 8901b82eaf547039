import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateSecret } from '../../corpus/secrets/generate.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'
import { runSluice } from './sluice_process.ts'

test('lists the whole catalogue as a table', async () => {
  const { code, stdout } = await runSluice(['detectors'])
  assert.equal(code, 0)
  const lines = stdout.trimEnd().split('\n')
  assert.match(lines[0]!, /^DETECTOR +KIND +VENDOR/)
  assert.deepEqual(
    lines.slice(1).map((line) => line.split(' ')[0]),
    catalogue.map(({ id }) => id),
  )
})

test('prints the catalogue as JSON as it is', async () => {
  const { code, stdout } = await runSluice(['detectors', '--format', 'json'])
  assert.equal(code, 0)
  assert.deepEqual(JSON.parse(stdout), JSON.parse(JSON.stringify(catalogue)))
})

test('exports gitleaks rules whose regexes find each format, and keywords that stand in it', async () => {
  const { code, stdout } = await runSluice(['detectors', '--format', 'gitleaks'])
  assert.equal(code, 0)
  const rules = new Map(
    stdout.split('[[rules]]').map((rule) => [/^id = "(.*)"$/m.exec(rule)?.[1], rule] as const),
  )
  for (const detector of catalogue) {
    if (detector.kind === 'builtin') {
      assert.ok(stdout.includes(`# ${detector.id}: `))
      continue
    }
    const rule = rules.get(detector.id)!
    const regex = new RegExp(/^regex = '''(.*)'''$/m.exec(rule)![1]!)
    const keywords: string[] = JSON.parse(/^keywords = (\[.*\])$/m.exec(rule)![1]!)
    for (const seed of [1, 2, 3]) {
      const secret = generateSecret(detector, seed)
      const match = regex.exec(`key: ${secret}\n`)
      assert.equal(match?.[detector.kind === 'token' ? 1 : 0], secret, detector.id)
      assert.ok(keywords.some((keyword) => secret.toLowerCase().includes(keyword)))
    }
  }
})

test('answers an unknown format with what is allowed, and exits 2', async () => {
  const { code, stdout, stderr } = await runSluice(['detectors', '--format', 'xml'])
  assert.deepEqual([code, stdout], [2, ''])
  assert.match(stderr, /--format must be table, json or gitleaks, not xml/)
})
