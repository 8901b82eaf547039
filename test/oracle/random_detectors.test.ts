import { test } from 'node:test'
import fc from 'fast-check'
import { createRandom } from '../../corpus/secrets/random.ts'
import { createScanner } from '../../src/scanner/scanner.ts'
import { assertSame, fuzzMs, fuzzSeed, scan } from './compare.ts'
import { createNaiveScanner } from './naive_scanner.ts'
import { randomDetectors, randomText } from './random_detectors.ts'

const texts_each = 60

test('agrees with the oracle for random detectors on random text, however cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const random = createRandom(seed)
      const detectors = randomDetectors(random)
      const naive = createNaiveScanner(detectors)
      const engine = await createScanner({ detectors, mode: 'strict' })
      for (let i = 0; i < texts_each; i++) {
        const text = randomText(random)
        const cuts = Array.from({ length: random.below(5) }, () => random.below(text.length))
        const told = `seed ${seed}, text ${i}: ${JSON.stringify({ text: text.toString(), cuts, detectors })}`
        assertSame(
          scan(
            engine,
            text,
            cuts.sort((a, b) => a - b),
          ),
          naive(text),
          told,
        )
      }
    }),
    { seed: fuzzSeed(), numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: fuzzMs(6_000) },
  )
})
