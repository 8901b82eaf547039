import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { holdRequest, person } from '../approval/hold_request.ts'
import { type ControlStack, startControlStack } from '../control/control_stack.ts'
import { freePort } from '../end_to_end/stack.ts'

const run = promisify(execFile)
let stack: ControlStack
let zoe: string
let auditor: string

before(async () => {
  stack = await startControlStack()
  zoe = await stack.token('zoe', ['security-oncall'])
  auditor = await stack.token('audra', ['audit'])
})
after(() => stack.close())

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `sluice …` against the stack, with a token in the environment. */
async function sluice(token: string, ...args: string[]): Promise<Ended> {
  const env = { ...process.env, SLUICE_URL: stack.url, SLUICE_TOKEN: token }
  const command = ['--disable-warning=ExperimentalWarning', 'src/cli/main.ts', ...args]
  return run(process.execPath, command, { env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Ended) => error,
  )
}

test('an empty queue says so', async () => {
  const ended = await sluice(zoe, 'approvals', 'list')
  assert.deepEqual([ended.code, ended.stdout, ended.stderr], [0, 'nothing waits\n', ''])
})

test('the queue is a table, and approving shows what is approved', async () => {
  const { approval_id } = await stack.ledger.hold(holdRequest('export the table'))
  const list = await sluice(zoe, 'approvals', 'list')
  const [heading, row] = list.stdout.split('\n')
  assert.match(heading!, /^ID +STATE +CALLER +REQUEST +MODEL +RULE +TRIGGERS +AGE +LEFT +ASKED$/)
  assert.match(
    row!,
    new RegExp(
      `^${approval_id} +pending +ana@example.com +POST /openai/v1/chat/completions +gpt-5 +risky-words +export +\\d+s +\\d+s +export the table$`,
    ),
  )

  const approved = await sluice(zoe, 'approvals', 'approve', approval_id, '--reason', 'known')
  assert.equal(approved.code, 0, approved.stderr)
  assert.match(approved.stdout, /export the table/)
  assert.match(approved.stdout, new RegExp(`${approval_id} is approved\n$`))
  const again = await sluice(zoe, 'approvals', 'deny', approval_id)
  assert.equal(again.code, 1)
  assert.match(again.stderr, /^sluice approvals: apr_\w+ was approved.*: zoe@example.com decided at /)
  const shown = await sluice(zoe, 'approvals', 'show', approval_id)
  assert.match(shown.stdout, /decision +zoe@example.com: known/)
})

test('what callers wrote cannot steer the terminal', async () => {
  const evil = '\u001b]0;owned\u0007\u001b[31mred\u009b2J'
  const { approval_id } = await stack.ledger.hold(
    holdRequest('x', {
      preview: `line one\n${evil}`,
      model: evil,
      principal: person('mal', [], { email: evil }),
    }),
  )
  for (const args of [['list'], ['show', approval_id]]) {
    const { stdout, code } = await sluice(zoe, 'approvals', ...args)
    assert.equal(code, 0)
    assert.ok(stdout.includes('owned'))
    assert.doesNotMatch(stdout, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
  }
})

test('calling it wrongly tells how it is called', async () => {
  const wrong: [string[], RegExp][] = [
    [[], /what: list, show, approve, deny, grants or revoke\?/],
    [['frob'], /there is no "approvals frob"/],
    [['approve'], /approve needs an id/],
    [['list', 'apr_x'], /did you mean: show apr_x/],
    [['approve', 'a', 'b'], /unexpected "b"/],
    [['list', '--frob'], /--frob/],
  ]
  for (const [args, message] of wrong) {
    const { code, stderr } = await sluice(zoe, 'approvals', ...args)
    assert.equal(code, 2)
    assert.match(stderr, message)
    assert.match(stderr, /usage: sluice approvals list/)
  }
})

test('no token, a wrong one, no gateway, or no gateway there at all are told in words', async () => {
  const none = await sluice('', 'approvals', 'list')
  assert.deepEqual(
    [none.code, none.stderr],
    [2, 'sluice approvals: no access token: run sluice login, set SLUICE_TOKEN or give --token\n'],
  )
  const wrong = await sluice('nonsense', 'approvals', 'list')
  assert.equal(wrong.code, 1)
  assert.ok(!wrong.stderr.includes('nonsense'))
  const port = await freePort()
  const nobody = await sluice(zoe, 'approvals', 'list', '--url', `http://127.0.0.1:${port}`)
  assert.equal(nobody.code, 2)
  assert.match(nobody.stderr, /nothing listens there \(--url or SLUICE_URL/)
  const provider = await sluice(zoe, 'approvals', 'list', '--url', stack.issuer)
  assert.match(provider.stderr, /is that a Sluice control listener\?/)
  const address = await sluice(zoe, 'approvals', 'list', '--url', 'localhost:8081')
  assert.match(address.stderr, /is no http\(s\) address/)
  const role = await sluice(auditor, 'approvals', 'list')
  assert.match(role.stderr, /this needs the role approver or admin/)
})

test('the audit answers SQL, in the format that is asked for', async () => {
  const answer = await sluice(auditor, 'sql', 'SELECT 1 + 1 AS two', '--format', 'JSONEachRow')
  assert.deepEqual([answer.code, answer.stdout], [0, '{"two":2}\n'], answer.stderr)
  const plain = await sluice(auditor, 'sql', 'SELECT 1 + 1 AS two')
  assert.equal(plain.stdout, 'two\n2\n')
})

test('SQL that is wrong, forbidden or not asked for is told in words', async () => {
  const wrong = await sluice(auditor, 'sql', 'SELECT nothing FROM nowhere')
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /^sluice sql: /)
  assert.equal((await sluice(auditor, 'sql', 'DROP TABLE exchanges')).code, 1)
  assert.match((await sluice(zoe, 'sql', 'SELECT 1')).stderr, /role auditor or admin/)
  const missing = await sluice(auditor, 'sql')
  assert.deepEqual([missing.code, /usage: sluice sql/.test(missing.stderr)], [2, true])
})
