import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusals } from '../../src/config/refusals.ts'
import { loadText, problemsOf } from './config_file.ts'

const base = `identity: { issuer: "https://idp.example.com", audience: sluice }
connections:
  a:
    upstream: https://a.example.com
    allow: [{ groups: [x] }]
`

/** A setting without an engine, where it stands, and what is said instead. */
const cases: [text: string, place: string, instead: string][] = [
  [
    `${base}    response: { secrets: approve }\n`,
    '6:26 connections.a.response.secrets',
    'use mask, block or flag',
  ],
]

test('a setting whose engine part is missing is refused at its place, and loads once its entry is gone', async () => {
  for (const [text, place, instead] of cases) {
    assert.deepEqual(await problemsOf(text), [`${place} is not supported yet; ${instead}`])
    await loadText(text, {}, { refusals: [] })
  }
})

test('every entry of the list has a case here', () => {
  const covered = cases.map(([, place]) => place.split(' ')[1]?.split('.') ?? [])
  for (const { path } of refusals) {
    const hit = covered.some(
      (steps) =>
        steps.length === path.length && path.every((step, index) => step === '*' || step === steps[index]),
    )
    assert.ok(hit, path.join('.'))
  }
})

test('what is supported of the same settings is not refused', async () => {
  await loadText(
    `${base}    request: { style: fixed }\n    response: { style: partial }\ndetectors: { known_secrets: [], import: [] }\naudit: { strict: false }\n`,
  )
})
