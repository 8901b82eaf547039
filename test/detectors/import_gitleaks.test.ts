import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { generateSecret } from '../../corpus/secrets/generate.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'
import { exportGitleaks } from '../../src/detectors/export_gitleaks.ts'
import { importGitleaks, RuleFileError } from '../../src/detectors/import_gitleaks.ts'
import { createScanner } from '../../src/scanner/scanner.ts'
import { scanCuts } from '../scanner/scan_cuts.ts'

const read = (name: string) => readFile(new URL(`rule_files/${name}`, import.meta.url), 'utf8')
const digits = '0123456789abcdef'
const masked = async (text: string, rules: Awaited<ReturnType<typeof importGitleaks>>['rules']) => {
  const scanner = await createScanner({ detectors: [], rules, entropy: false })
  return scanCuts(scanner, { contentType: 'text/plain' }, Buffer.from(text), []).output
}

test('imports every part of the form, and names what is left out and what differs', async () => {
  const { rules, skipped, notes } = await importGitleaks(await read('rules.toml'), read)
  assert.deepEqual(
    rules.map(({ id }) => id),
    ['from-base', 'changed', 'quoted', 'second-group', 'lines'],
  )
  assert.deepEqual(
    skipped.map(({ id, text }) => `${id}: ${text.slice(0, 24)}`),
    [
      'names-only: has no regex: file names',
      'no-literal: has no literal of three ',
      'too-large: position 0: needs over 4',
      'part: skipReport: it is only a',
    ],
  )
  assert.deepEqual(
    notes.map(({ id }) => id),
    ['', 'Second_Group', 'Second_Group', 'lines', 'lines', 'lines'],
  )
  assert.equal(
    await masked(`base_${digits} old_${digits} new_${digits} off_${digits}`, rules),
    `[REDACTED:from-base] old_${digits} [REDACTED:changed] off_${digits}`,
  )
  assert.equal(
    await masked('my.quoted_id = "abcdefghij0123456789" quoted: sample0123456789abcd\n', rules),
    'my.quoted_id = "[REDACTED:quoted]" quoted: sample0123456789abcd\n',
  )
  assert.equal(
    await masked('pair-PROD-0123abcd pair-TEST-0123abcd\nlines=some text\n', rules),
    'pair-PROD-[REDACTED:second-group] pair-TEST-0123abcd\nlines=[REDACTED:lines]\n',
  )
})

test('takes in the export of the catalogue: what it holds finds what the catalogue finds', async () => {
  const { rules, skipped } = await importGitleaks(exportGitleaks(catalogue), read)
  assert.ok(rules.length > 200 && skipped.length < 30, `${rules.length} rules, ${skipped.length} left out`)
  const scanner = await createScanner({ detectors: [], rules, entropy: false })
  const imported = new Set(rules.map(({ id }) => id))
  for (const detector of catalogue) {
    if (detector.kind !== 'token' || detector.identifier || !imported.has(detector.id)) continue
    const secret = generateSecret(detector, 3)
    const { output } = scanCuts(
      scanner,
      { contentType: 'text/plain' },
      Buffer.from(`see ${secret} there`),
      [],
    )
    assert.ok(!output.includes(secret), detector.id)
  }
})

test('a file that is no rule file is refused without a word of it', async () => {
  for (const text of ['rules = "x"', '[[rules]]\nregex = "x"', 'a = [hidden', 'extend = 3'])
    await assert.rejects(
      importGitleaks(text, read),
      (error) => error instanceof RuleFileError && !error.message.includes('hidden'),
    )
})
