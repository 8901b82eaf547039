import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateSecret } from '../../corpus/secrets/generate.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'
import { compilePattern, type PatternDfa } from '../../src/scanner/compile_pattern.ts'
import type { Detector, TokenDetector } from '../../src/scanner/detector.ts'

const tokens = catalogue.filter((detector) => detector.kind === 'token')
const seeds = Array.from({ length: 40 }, (_, seed) => seed)
const compiled = new Map<TokenDetector, PatternDfa>(
  tokens.map((token) => [token, compilePattern(token.pattern)]),
)

/** Length of the longest match at the start of `text`, or -1. */
function longestMatch(dfa: PatternDfa, text: string): number {
  let state = 1
  let longest = -1
  for (let i = 0; i < text.length && state !== 0; i++) {
    state = dfa.transitions[state * dfa.class_count + dfa.classes[text.charCodeAt(i)]!]!
    if (dfa.accepting[state]) longest = i + 1
  }
  return longest
}

function offsetsOf(detector: TokenDetector): number[] {
  const least = detector.anchor_offset ?? 0
  const most = detector.anchor_offset_max ?? least
  return Array.from({ length: most - least + 1 }, (_, i) => least + i)
}

test('lists at least 200 token formats, every id once and fit for a label', () => {
  assert.ok(tokens.length >= 200, `${tokens.length}`)
  const ids = catalogue.map((detector) => detector.id)
  assert.deepEqual(ids, [...new Set(ids)])
  for (const id of ids) assert.match(id, /^[a-z0-9-]{2,40}$/)
  for (const detector of catalogue)
    assert.ok(detector.source.length > 10 && detector.vendor !== '', detector.id)
})

test('compiles every pattern into bounded tables, and none matches fewer than 16 bytes', () => {
  for (const [token, dfa] of compiled) {
    assert.ok(dfa.length_min >= 16, `${token.id}: ${dfa.length_min}`)
    assert.ok(dfa.state_count <= 1200, `${token.id}: ${dfa.state_count} states`)
  }
})

test('gives every anchor 3 to 40 bytes of ASCII, once', () => {
  for (const token of tokens) {
    assert.equal(new Set(token.anchors).size, token.anchors.length, token.id)
    for (const anchor of token.anchors) assert.match(anchor, /^[!-~]{3,40}$/, token.id)
  }
})

test('lets tokens whose anchor stands inside begin at a word only, as the engine needs', () => {
  for (const token of tokens) {
    if (Math.max(...offsetsOf(token)) > 0) assert.notEqual(token.left, 'any', token.id)
  }
})

test('finds an anchor where it is said to be, in every sample, and every anchor in some sample', () => {
  const never: string[] = []
  for (const token of tokens) {
    const unseen = new Set(token.anchors)
    for (let seed = 0; seed < 3000 && unseen.size > 0; seed++) {
      const secret = generateSecret(token, seed)
      const offsets = offsetsOf(token)
      const found = token.anchors.filter((anchor) =>
        offsets.some((offset) => secret.startsWith(anchor, offset)),
      )
      assert.ok(found.length > 0, `${token.id}: seed ${seed}`)
      for (const anchor of found) unseen.delete(anchor)
    }
    for (const anchor of unseen) never.push(`${token.id}: ${anchor}`)
  }
  assert.deepEqual(never, [])
})

test('leaves no part of a pattern that no anchor leads to', () => {
  const paths: string[] = []
  for (const [token, dfa] of compiled) {
    const path = token.anchor_offset ? undefined : pathWithoutAnchor(dfa, token.anchors)
    if (path !== undefined) paths.push(`${token.id} accepts what begins with ${path}`)
  }
  assert.deepEqual(paths, [])
})

/** A prefix that can still become a match though no anchor can any more; undefined when there is none. */
function pathWithoutAnchor(dfa: PatternDfa, anchors: readonly string[]): string | undefined {
  const open: [number, string][] = [[1, '']]
  for (const [state, prefix] of open) {
    if (anchors.includes(prefix)) continue
    if (state === 0) continue
    if (!anchors.some((anchor) => anchor.startsWith(prefix))) return prefix
    for (let byte = 0; byte < 256; byte++) {
      const next = dfa.transitions[state * dfa.class_count + dfa.classes[byte]!]!
      if (next !== 0) open.push([next, prefix + String.fromCharCode(byte)])
    }
  }
  return undefined
}

test('matches every sample whole, within the lengths that its table states', () => {
  for (const [token, dfa] of compiled) {
    for (const seed of seeds) {
      const secret = generateSecret(token, seed)
      assert.equal(
        longestMatch(dfa, `${secret} `),
        secret.length,
        `${token.id}: seed ${seed}, ${secret.length} bytes`,
      )
      assert.ok(secret.length >= dfa.length_min && secret.length <= dfa.length_max, token.id)
      assert.ok(secret.length > (token.keep_prefix ?? 0), token.id)
    }
  }
})

/** Formats that overlap by their vendors' own doing: the first takes some samples of the second. */
const shared_formats = new Set(['azure-shared-access-key azure-servicebus-key'])

test('lets no detector take the samples of a later one', () => {
  for (const [index, token] of tokens.entries()) {
    for (const seed of seeds.slice(0, 8)) {
      const secret = generateSecret(token, seed)
      for (const earlier of tokens.slice(0, index)) {
        if (shared_formats.has(`${earlier.id} ${token.id}`)) continue
        const claims = hasAnchor(earlier, secret) && longestMatch(compiled.get(earlier)!, `${secret} `) > 0
        assert.ok(!claims, `${earlier.id} takes a sample of ${token.id}`)
      }
    }
  }
})

function hasAnchor(detector: TokenDetector, secret: string): boolean {
  return detector.anchors.some((anchor) =>
    offsetsOf(detector).some((offset) => secret.startsWith(anchor, offset)),
  )
}

test('leaves words, identifiers, hashes and UUIDs alone that begin like a token', () => {
  const benign = [
    'sk-fading-circle-container-with-a-long-name-here',
    'pattern.compile_the_expression_and_return_it_here',
    'pk_constraint_on_customer_orders_2024_archive',
    're_export_everything_from_the_public_interface',
    'live_migration_of_virtual_machines_between_hosts_in_a_cluster',
    'secret_name_of_the_kubernetes_object_that_is_mounted_here',
    'sk_buff_head_init_class_and_some_more_of_the_kernel',
    'key-value-store-with-replication-and-snapshots',
    'API-GATEWAY-CONFIGURATION-REFERENCE-FOR-OPERATORS',
    'BSA_CONFIGURATION_MAXIMUM_RETRY_COUNT_DEFAULT_VALUE',
    'npm_config_registry_and_other_environment_variables_here',
    'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'contact-us1',
    'access-production-environment-with-care-and-review',
    'hf_hub_download_with_resume_and_local_cache_dir',
    'sdk-for-javascript-in-the-browser-and-node',
  ]
  for (const text of benign) {
    for (const [token, dfa] of compiled) {
      const starts = [...text].map((_, start) => start)
      const taken = starts.filter((start) => claimsAt(token, dfa, text, start))
      assert.deepEqual(taken, [], `${token.id} takes ${text.slice(taken[0])}`)
    }
  }
})

/** By pattern, anchor and boundaries; entropy is left out, so this asks for more than the engine does. */
function claimsAt(token: TokenDetector, dfa: PatternDfa, text: string, start: number): boolean {
  const rest = text.slice(start)
  if (!hasAnchor(token, rest)) return false
  if (token.left !== 'any' && start > 0 && /\w/.test(text[start - 1]!)) return false
  const length = longestMatch(dfa, rest)
  const bounded = token.right === 'any' || !/\w/.test(rest[length] ?? '')
  return length > 0 && bounded && token.entropy_min === undefined
}

test('describes blocks by a begin and an end literal', () => {
  const blocks = catalogue.filter(
    (detector): detector is Detector & { kind: 'block' } => detector.kind === 'block',
  )
  assert.ok(blocks.length >= 4)
  for (const block of blocks) {
    for (const seed of seeds) {
      const secret = generateSecret(block, seed)
      assert.ok(
        secret.startsWith(block.begin) && secret.split('\n')[0]!.includes(block.begin_contains),
        block.id,
      )
      assert.ok(secret.lastIndexOf(block.end) > secret.indexOf('\n'), block.id)
    }
  }
})
