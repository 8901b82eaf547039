import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decide } from '../../src/policy/decide.ts'
import type { AllowRule } from '../../src/policy/snapshot.ts'
import { aConnection, aPrincipal } from './examples.ts'

const ask = (
  allow: AllowRule[],
  groups: string[],
  method: string,
  path: string,
  model?: string,
  model_count = 1,
  now_ms = 0,
) => decide(aConnection({ allow }), aPrincipal({ groups }), { method, path, model, model_count, now_ms })

test('without rules nothing is allowed', () => {
  const decision = ask([], ['ml'], 'GET', '/v1/models')
  assert.deepEqual(decision.outcome === 'deny' && decision.reason, 'group_not_allowed')
})

test('a rule allows only when everything it names matches, and the reason is what was missing', () => {
  const rules: AllowRule[] = [{ groups: ['ml'], methods: ['POST'], paths: ['/v1/chat/*'], models: ['gpt-*'] }]
  const reason = (...asked: [string[], string, string, string?, number?]) => {
    const decision = ask(rules, ...asked)
    return decision.outcome === 'deny' ? decision.reason : decision.outcome
  }
  assert.equal(reason(['other'], 'POST', '/v1/chat/completions'), 'group_not_allowed')
  assert.equal(reason(['ml'], 'GET', '/v1/chat/completions'), 'method_not_allowed')
  assert.equal(reason(['ml'], 'POST', '/v1/embeddings'), 'path_not_allowed')
  assert.equal(reason(['ml'], 'POST', '/v1/chat/completions'), 'model_needed')
  assert.equal(reason(['ml'], 'POST', '/v1/chat/completions', 'claude'), 'model_not_allowed')
  assert.equal(reason(['ml'], 'POST', '/v1/chat/completions', '', 0), 'model_missing')
  assert.equal(reason(['ml'], 'POST', '/v1/chat/completions', 'gpt-4o', 2), 'model_ambiguous')
  assert.equal(reason(['x', 'ml'], 'POST', '/v1/chat/completions', 'gpt-4o'), 'allow')
})

test('a rule without models allows whatever the body names, so the body need not be read', () => {
  const rules: AllowRule[] = [{ groups: ['ml'], models: ['gpt-*'] }, { groups: ['ml'] }]
  assert.equal(ask(rules, ['ml'], 'POST', '/x').outcome, 'allow')
  assert.equal(ask(rules, ['ml'], 'POST', '/x', 'claude', 2).outcome, 'allow')
})

test('what is allowed with some groups stays allowed with more, and every allowed request satisfies one whole rule', () => {
  const group = fc.constantFrom<string[]>('a', 'b', 'c')
  const rule = fc.record<AllowRule>(
    {
      groups: fc.array(group, { minLength: 1, maxLength: 2 }),
      methods: fc.array(fc.constantFrom('GET', 'POST'), { minLength: 1, maxLength: 2 }),
      paths: fc.array(fc.constantFrom('/v1/*', '/v1/**', '/x'), { minLength: 1, maxLength: 2 }),
      models: fc.array(fc.constantFrom('gpt-*', 'o3'), { minLength: 1, maxLength: 2 }),
    },
    { requiredKeys: ['groups'] },
  )
  const asked = fc.record({
    method: fc.constantFrom('GET', 'POST'),
    path: fc.constantFrom('/v1/chat', '/v1/a/b', '/x', '/y'),
    model: fc.constantFrom('gpt-4o', 'o3', 'claude', ''),
    model_count: fc.constantFrom(1, 1, 2),
    now_ms: fc.constant(0),
  })
  fc.assert(
    fc.property(
      fc.array(rule, { maxLength: 4 }),
      fc.array(group, { maxLength: 2 }),
      group,
      asked,
      (allow, groups, extra, what) => {
        const outcome = decide(aConnection({ allow }), aPrincipal({ groups }), what).outcome
        assert.notEqual(outcome, 'model_needed')
        const satisfied = allow.some(
          (one) =>
            one.groups.some((name) => groups.includes(name)) &&
            (one.methods?.includes(what.method) ?? true) &&
            (one.paths === undefined ||
              one.paths.some((glob) =>
                ({ '/v1/*': /^\/v1\/[^/]*$/, '/v1/**': /^\/v1\//, '/x': /^\/x$/ })[glob]!.test(what.path),
              )) &&
            (one.models === undefined ||
              (what.model_count === 1 &&
                one.models.some((glob) =>
                  glob === 'o3' ? what.model === 'o3' : what.model.startsWith('gpt-'),
                ))),
        )
        assert.equal(outcome === 'allow', satisfied)
        if (outcome === 'allow') {
          assert.equal(
            decide(aConnection({ allow }), aPrincipal({ groups: [...groups, extra] }), what).outcome,
            'allow',
          )
        }
      },
    ),
    { numRuns: 2000 },
  )
})

test('before the body is read, a decision never differs from the one after it except by needing the model', () => {
  const rules: AllowRule[] = [
    { groups: ['a'], methods: ['GET'] },
    { groups: ['b'], models: ['gpt-*'] },
  ]
  for (const groups of [['a'], ['b'], ['a', 'b'], ['c']]) {
    for (const method of ['GET', 'POST']) {
      const before = ask(rules, groups, method, '/x', undefined)
      const after = ask(rules, groups, method, '/x', 'claude')
      if (before.outcome !== 'model_needed') assert.deepEqual(before, after)
    }
  }
})

test('a rule with hours allows nothing outside of them', () => {
  const hours = { from_minute: 8 * 60, to_minute: 18 * 60, days: [1, 2, 3, 4, 5], timezone: 'Europe/Berlin' }
  const at = (time: string) => {
    const decision = ask([{ groups: ['ml'], hours }], ['ml'], 'GET', '/x', undefined, 0, Date.parse(time))
    return decision.outcome === 'deny' ? decision.reason : decision.outcome
  }
  assert.equal(at('2026-07-01T05:59:00Z'), 'time_not_allowed', 'Berlin is two hours ahead in summer')
  assert.equal(at('2026-07-01T06:00:00Z'), 'allow')
  assert.equal(at('2026-01-07T06:30:00Z'), 'time_not_allowed', 'and one hour in winter')
  assert.equal(at('2026-07-01T16:00:00Z'), 'time_not_allowed')
  assert.equal(at('2026-07-04T10:00:00Z'), 'time_not_allowed', 'Saturday')
})
