import type { Random } from '../../corpus/secrets/random.ts'
import type { BlockDetector, Detector, TokenDetector } from '../../src/scanner/detector.ts'

const common = { vendor: 'made up', sample: '', source: 'made up' } as const

/** Detectors over a tiny alphabet, so that random text is full of matches, overlaps and near misses. */
export function randomDetectors(random: Random): Detector[] {
  const count = random.between(1, 6)
  return Array.from({ length: count }, (_, i) => {
    return random.below(6) === 0 ? randomBlock(random, i) : randomToken(random, i)
  })
}

/** Text over the same alphabet; now and then a long run, for what happens beyond a few hundred bytes. */
export function randomText(random: Random): Buffer {
  const count = random.between(1, 12)
  let text = ''
  for (let i = 0; i < count; i++) {
    const run = random.below(12) === 0
    text += run
      ? random.pick(['a', 'b', '0', 'ab']).repeat(random.pick([60, 64, 128, 240, 256, 257]))
      : random.text('aaabbb001 _\n-', random.between(1, 30))
    if (random.below(4) === 0) text += random.pick(['baab', '-----', 'bb0', '[REDACTED:d-1]', 'aab'])
  }
  return Buffer.from(text)
}

function randomToken(random: Random, i: number): TokenDetector {
  const anchors = [...new Set([random.text('ab', 3), random.text('ab', random.between(3, 4))])]
  const anchor = anchors.length === 1 ? anchors[0]! : `(?:${anchors.join('|')})`
  const least = random.below(3) === 0 ? random.between(0, 3) : 0
  const most = random.below(3) === 0 ? least + random.between(0, 3) : least
  const lead = most === 0 ? '' : `${random.pick(['[ab]', '[0ab]', '0'])}{${least},${most}}`
  const infix = most > 0
  return {
    ...common,
    kind: 'token',
    id: `d-${i}`,
    anchors,
    anchor_offset: least,
    anchor_offset_max: most,
    pattern: lead + anchor + randomTail(random),
    left: infix ? 'word' : random.pick(['word', 'any']),
    right: random.pick(['word', 'any']),
    keep_prefix: random.pick([0, 0, 0, 1, 3]),
    entropy_min: infix ? 0 : random.pick([0, 0, 0, 0.9]),
  }
}

function randomTail(random: Random): string {
  const byte = random.pick(['[ab]', 'a', '[ab0]', '[^ ]', '[ab0_-]'])
  const count = random.pick(['{2,5}', '{3}', '{0,4}', '+', '{4,}', '{1,60}', '{250,}', '{2,}'])
  return byte + count + random.pick(['', '', '0', '-', '(?:-[ab]{2})?', '(?:b|-b)*', '={0,2}'])
}

function randomBlock(random: Random, i: number): BlockDetector {
  return {
    kind: 'block',
    id: `d-${i}`,
    vendor: 'made up',
    begin: random.text('ab', 3),
    begin_contains: random.pick(['', 'bb', '0']),
    end: random.pick(['baab', 'aab', '0-', 'aaaab']),
    source: 'made up',
  }
}
