// A conversation is sent again with each turn, and providers keep what they computed for a beginning that is the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogue } from '../../src/detectors/catalogue.ts'
import { createScanner, type ScannerStyle } from '../../src/scanner/scanner.ts'
import { createInputs } from '../fuzz/scanner_input.ts'
import { scanCuts } from './scan_cuts.ts'

const styles = ['label', 'partial', 'fixed', 'pseudonym'] as const satisfies readonly ScannerStyle[]
const { next, random } = createInputs(catalogue, 21)

/** A text of a message. */
function text(): string {
  for (;;) {
    const { content_type, body } = next()
    if (content_type === 'text/plain') return body
  }
}

const bodyOf = (messages: readonly object[]) => JSON.stringify({ model: 'm', stream: true, messages })
/** All of a body but the brackets that close its list of messages. */
const beginning = (body: string) => body.slice(0, -2)

for (const style of styles) {
  test(`${style}: each turn begins with the bytes of the turn before, whether it sends its own text or what came back`, async () => {
    const scanner = await createScanner({ style, fingerprintKey: new Uint8Array(32) })
    const masked = (body: string) => {
      const bytes = Buffer.from(body)
      const cuts = [random.below(bytes.length), random.below(bytes.length)].sort((a, b) => a - b)
      return scanCuts(scanner, { contentType: 'application/json' }, bytes, cuts).output
    }
    for (let conversation = 0; conversation < 12; conversation++) {
      const sent: object[] = [{ role: 'system', content: text() }]
      let before = masked(bodyOf(sent))
      for (let turn = 0; turn < 6; turn++) {
        sent.push(
          { role: 'user', content: text() },
          { role: 'assistant', content: [{ type: 'text', text: text() }] },
        )
        const now = masked(bodyOf(sent))
        assert.ok(now.startsWith(beginning(before)), `conversation ${conversation}, turn ${turn}`)
        // a client that keeps what a model was shown sends masks
        const shown = [...JSON.parse(before).messages, ...sent.slice(-2)]
        assert.ok(
          masked(bodyOf(shown)).startsWith(beginning(before)),
          `${conversation}, ${turn}: masks again`,
        )
        before = now
      }
    }
  })
}
