// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import assert from 'node:assert/strict'
import { problemsOf } from './config_file.ts'

export const identity = `identity: { issuer: "https://idp.example.com", audience: sluice }
`
/** `identity` and one connection up to line 4; more of the connection may follow with four spaces. */
export const one = `${identity}connections:
  openai:
    upstream: https://api.example.com
`
export const allowed = `${one}    allow: [{ groups: [ml] }]
`

/** What is wrong, the text, and what the one problem must be: `line:column path` and a part of its message. */
export type Mistake = readonly [text: string, place: string, message: RegExp]

/** Each text has exactly the one problem, at its place. */
export async function expectMistakes(mistakes: readonly Mistake[]): Promise<void> {
  for (const [text, place, message] of mistakes) {
    const problems = await problemsOf(text)
    assert.equal(problems.length, 1, `${text}\n${problems.join('\n')}`)
    assert.equal(problems[0]?.slice(0, place.length + 1), `${place} `, text)
    assert.match(problems[0]?.slice(place.length) ?? '', message, text)
  }
}
