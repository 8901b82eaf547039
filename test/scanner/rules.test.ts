import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '../../corpus/secrets/random.ts'
import { createScanner, type Rule, RuleError, readRule } from '../../src/scanner/scanner.ts'
import { everyByte, scanCuts } from './scan_cuts.ts'

const random = createRandom(5)
const hex = () => random.text('0123456789abcdef', 32)
const base62 = (count: number) => random.text('ABCDEFGHIJKLMabcdefghijklm0123456789', count)
const around = String.raw`(?:[\x60'"\s;]|\\[nr]|$)`
const assigned = String.raw`[\s'"]{0,3}(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[\x60'"\s=]{0,5}`
const scan = async (rules: readonly Rule[], text: string, cuts: readonly number[] = []) => {
  const scanner = await createScanner({
    detectors: [],
    rules,
    entropy: false,
    fingerprintKey: new Uint8Array(32),
  })
  return scanCuts(scanner, { contentType: 'text/plain' }, Buffer.from(text), cuts)
}

/** Rules of every shape, and texts with what is masked between angle brackets. */
const cases: readonly [Rule, readonly string[]][] = [
  [
    {
      id: 'assigned',
      regex: String.raw`(?i)[\w.-]{0,50}?(?:acme|ac-me)(?:[ \t\w.-]{0,20})${assigned}([a-f0-9]{32})${around}`,
    },
    [
      `ACME_KEY = "<${hex()}>"`,
      `x.acme-id: <${hex()}>\n`,
      `acme=<${hex()}>`,
      `acme = ${hex()}0`,
      `acme_key_that_is_much_too_long_for_it = ${hex()} `,
      `{"ac-me": "<${hex()}>"}`,
      `acme, ${hex().slice(1)} `,
    ],
  ],
  [
    { id: 'prefixed', regex: String.raw`\b(zq[ab]_[0-9A-Za-z]{20,30})${around}` },
    [`<zqa_${base62(24)}> zqb_short`, `xzqa_${base62(24)} `, `(zqa_${base62(24)})`, `'<zqb_${base62(20)}>'`],
  ],
  [{ id: 'whole', regex: String.raw`zz-[[:alnum:]]{10}\b` }, [`a<zz-${base62(10)}> b`, `zz-${base62(11)}`]],
  [
    { id: 'choice', regex: String.raw`pfx1-([a-z]{8})|(pfx2-[0-9]{8})`, entropy: 1 },
    ['pfx1-<qwertyui> <pfx2-12345678>', 'pfx1-aaaaaaaa'],
  ],
  [
    { id: 'second', regex: String.raw`(user)=(\S+?);pass=(\S+)`, secret_group: 3 },
    ['user=ab;pass=<cdefg>\n', 'user=;pass=x'],
  ],
  [
    {
      id: 'allowed',
      regex: String.raw`key:([A-Z]{6,})`,
      allow: [
        { stopwords: ['example'], regexes: ['^TEST', 'ZZ$'] },
        { target: 'match', regexes: ['key:QQ'] },
      ],
    },
    ['key:<REALONE> key:AEXAMPLEB key:TESTXX key:XTEST', 'key:ABCDZZ key:QQABCD key:<ABQQCD>'].map((text) =>
      text.replace('key:XTEST', 'key:<XTESTA>'),
    ),
  ],
  [
    { id: 'quoted', regex: String.raw`\Qa.b(c\E=([^\n]{4,40})` },
    ['a.b(c=<some text>\n', 'aXb(c=some text\n'],
  ],
]

test('rules mask the secret alone, wherever the text is cut', async () => {
  for (const [rule, texts] of cases) {
    for (const marked of texts) {
      const text = marked.replace(/[<>]/g, '')
      const expected = marked.replace(/<[^<>]*>/g, `[REDACTED:${rule.id}]`)
      const whole = await scan([rule], text)
      assert.equal(whole.output, expected, `${rule.id}: ${marked}`)
      for (const cuts of [everyByte(Buffer.from(text)), [5], [text.length >> 1]])
        assert.deepEqual(await scan([rule], text, cuts), whole, `${rule.id}, cut: ${marked}`)
      assert.equal((await scan([rule], whole.output)).output, whole.output, `${rule.id}, again: ${marked}`)
    }
  }
})

test('a long secret is swallowed to its end', async () => {
  const rule = { id: 'long', regex: 'long=([A-Za-z0-9]{40,})' }
  const text = `long=${base62(3000)} end`
  for (const cuts of [[], everyByte(Buffer.from(text))])
    assert.equal((await scan([rule], text, cuts)).output, 'long=[REDACTED:long] end')
})

test('a rule finds its secret in the value of a JSON key', async () => {
  const scanner = await createScanner({ detectors: [], rules: [cases[0]![0]], entropy: false })
  const body = Buffer.from(JSON.stringify({ acme_key: hex(), a: ['b'], n: { 'x-acme': hex() } }))
  const { output } = scanCuts(scanner, { contentType: 'application/json' }, body, everyByte(body))
  assert.deepEqual(JSON.parse(output), {
    acme_key: '[REDACTED:assigned]',
    a: ['b'],
    n: { 'x-acme': '[REDACTED:assigned]' },
  })
})

test('a rule that cannot be searched for is refused with its id and why', () => {
  const refused: [string, RegExp][] = [
    ['[a-f0-9]{32}', /no literal of three bytes/],
    ['^abc[0-9]{4}', /text or line begins/],
    ['abc(?:x(y)){3}', /repetition/],
    ['abc(?=d)', /look-around/],
    ['abc(', /missing \)/],
    [String.raw`(abc)\1`, /backreferences/],
  ]
  for (const [regex, reason] of refused) {
    assert.throws(
      () => readRule({ id: 'bad', regex }),
      (error) => error instanceof RuleError && error.id === 'bad' && reason.test(error.message),
      regex,
    )
  }
})

test('an expression that would need too many states is refused when it is compiled, and quickly', async () => {
  const began = Date.now()
  for (const regex of ['abc(?:[ab]*a[ab]{30})', 'abc(?:x{1000}){1000}', 'abc(?:(?:a|aa){500}){500}'])
    await assert.rejects(scan([{ id: 'huge', regex }], 'abc'), RuleError, regex)
  assert.ok(Date.now() - began < 3_000)
})
