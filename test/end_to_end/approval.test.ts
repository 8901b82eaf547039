import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import {
  type ApprovalDetail,
  type ApprovalItem,
  decodeToBrowser,
  encodeFrame,
  type ToBrowser,
} from '../../src/control/messages.ts'
import { CookieBrowser } from './cookie_browser.ts'
import { secretsFor } from './made_up.ts'
import { exchangesWhere, rowsOnce } from './read_audit.ts'
import { type Stack, startStack } from './stack.ts'

const run = promisify(execFile)
const secrets = secretsFor('approval')

let stack: Stack

before(async () => {
  stack = await startStack({
    script: { deltas: ['done'], leak: '' },
    connections: (upstream) => `  impatient:
    upstream: ${upstream}
    allow: [{ groups: [ml-eng] }]
    approve: [{ name: exports, keywords: [export], approvers: [security-oncall], hold: 1s }]
  trusting:
    upstream: ${upstream}
    allow: [{ groups: [ml-eng] }]
    approve: [{ name: exports, keywords: [export], approvers: [security-oncall], hold: 1m, grant_max: 1h }]
`,
  })
})
after(() => stack?.close())

/** Sends a chat message as Ana. Resolves with the answer, however long it is held. */
async function ask(
  content: string,
  connection = 'openai',
): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }> {
  const answer = await fetch(`${stack.proxy}/${connection}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await stack.token('ana')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] }),
  })
  return {
    status: answer.status,
    body: (await answer.json()) as Record<string, unknown>,
    headers: answer.headers,
  }
}

function askedUpstream(text: string): number {
  return stack.upstream.seen.filter(({ body }) => body.includes(text)).length
}

/** `sluice approvals …` as this person. */
async function sluice(person: string, ...args: string[]) {
  const env = { ...process.env, SLUICE_URL: stack.control, SLUICE_TOKEN: await stack.token(person) }
  const command = ['--disable-warning=ExperimentalWarning', 'src/cli/main.ts', 'approvals', ...args]
  return run(process.execPath, command, { env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  )
}

/** The oldest pending approval of a connection, as the API shows it to Omar. */
async function pending(connection = 'openai'): Promise<ApprovalDetail> {
  const authorization = `Bearer ${await stack.token('omar')}`
  for (let attempt = 0; attempt < 100; attempt++) {
    const list = await fetch(`${stack.control}/api/v1/approvals`, { headers: { authorization } })
    const { approvals } = (await list.json()) as { approvals: ApprovalItem[] }
    const found = approvals.find((approval) => approval.connection === connection)
    if (found) {
      const one = await fetch(`${stack.control}/api/v1/approvals/${found.id}`, {
        headers: { authorization },
      })
      return (await one.json()) as ApprovalDetail
    }
    await sleep(50)
  }
  throw new Error('nothing is held')
}

test('a risky word holds the request until somebody approves it in a terminal', async () => {
  const answered = ask(`please export the list, the key is ${secrets.github_token}`)
  const approval = await pending()
  assert.equal(approval.caller.email, 'ana@example.com')
  assert.deepEqual(approval.triggers, ['export'])
  assert.ok(!approval.preview.includes(secrets.github_token))
  assert.match(approval.preview, /please export the list, the key is \[REDACTED:/)
  assert.equal(askedUpstream('export the list'), 0)

  const listed = await sluice('omar', 'list')
  assert.equal(listed.code, 0, listed.stderr)
  assert.match(listed.stdout, new RegExp(approval.id))
  assert.match(listed.stdout, /risky-words/)

  const approved = await sluice('omar', 'approve', approval.id, '--reason', 'known customer')
  assert.equal(approved.code, 0, approved.stderr)
  assert.equal((await answered).status, 200)
  assert.equal(askedUpstream('export the list'), 1)
})

test('nobody approves their own request, and nobody without the group approves at all', async () => {
  const answered = ask('export once more')
  const { id } = await pending()
  for (const person of ['ana', 'eve']) {
    const refused = await sluice(person, 'approve', id)
    assert.notEqual(refused.code, 0, person)
  }
  assert.equal(askedUpstream('once more'), 0)
  assert.equal((await sluice('omar', 'deny', id, '--reason', 'not today')).code, 0)
  const { status, body } = await answered
  assert.deepEqual([status, body.code], [403, 'approval_denied'])
  assert.equal(askedUpstream('once more'), 0)
})

test('a request without a listed word, or with it inside another, is not held', async () => {
  assert.equal((await ask('rewrite the tokenizer; exports are fine')).status, 200)
})

test('the live page’s channel shows the request and releases it', async () => {
  const cookie = await signIn('omar')
  const socket = new WebSocket(`${stack.control.replace('http', 'ws')}/api/v1/live`, {
    headers: { cookie, origin: stack.control },
  } as unknown as string[])
  socket.binaryType = 'arraybuffer'
  const messages: ToBrowser[] = []
  socket.addEventListener('message', ({ data }) => messages.push(decodeToBrowser(new Uint8Array(data))))
  const next = async <Kind extends ToBrowser['kind']>(kind: Kind) => {
    for (let attempt = 0; attempt < 200; attempt++) {
      const found = messages.findIndex((message) => message.kind === kind)
      if (found >= 0) return messages.splice(found, 1)[0] as ToBrowser & { kind: Kind }
      await sleep(25)
    }
    throw new Error(`no ${kind}`)
  }
  await once(socket, 'open')
  assert.equal((await next('hello')).me.email, 'omar@example.com')
  socket.send(encodeFrame({ kind: 'resume', epoch: '', last_sequence: 0 }))
  await next('snapshot')

  const answered = ask('write it down, live')
  const shown = (await next('approvals')).approvals[0]!
  assert.deepEqual([shown.state, shown.may_decide, shown.triggers[0]], ['pending', 'yes', 'write'])
  const { preview_digest } = await pending()
  socket.send(
    encodeFrame({
      kind: 'decide',
      request: 1,
      id: shown.id,
      decision: 'approve',
      reason: 'fine',
      preview_digest,
    }),
  )
  assert.equal((await next('decided')).approval.state, 'approved')
  assert.equal((await answered).status, 200)
  socket.close()
  await once(socket, 'close')
})

test('a request that nobody decided in time is sent again, and goes through once it is approved, once', async () => {
  const first = await ask('export for later', 'impatient')
  assert.deepEqual([first.status, first.body.code], [409, 'approval_pending'])
  assert.ok(Number(first.headers.get('retry-after')) > 0)
  const id = String(first.body.approval_id)
  assert.equal((await sluice('omar', 'approve', id)).code, 0)
  assert.equal((await ask('export for later', 'impatient')).status, 200)
  assert.equal(askedUpstream('export for later'), 1)
  const third = await ask('export for later', 'impatient')
  assert.deepEqual([third.status, third.body.code], [409, 'approval_pending'])
  assert.notEqual(third.body.approval_id, id)
})

test('what a grant lets through is recorded with the grant, and with the approval that it was given with', async () => {
  const first = ask('export one', 'trusting')
  const { id } = await pending('trusting')
  assert.equal((await sluice('omar', 'approve', id, '--grant', '30')).code, 0)
  assert.equal((await first).status, 200)
  assert.equal((await ask('export two', 'trusting')).status, 200)
  const [asked, granted] = await rowsOnce(
    stack,
    "SELECT approval_id, approval_grant_id FROM exchanges WHERE connection = 'trusting' ORDER BY started_at",
    2,
  )
  assert.deepEqual([asked!.approval_id, asked!.approval_grant_id], [id, ''])
  assert.match(String(granted!.approval_grant_id), /^grn_[0-9a-f]{32}$/)
  const query = `SELECT grant_id, reason FROM approvals WHERE id = '${granted!.approval_id}'`
  assert.deepEqual(await rowsOnce(stack, query, 1), [
    { grant_id: granted!.approval_grant_id, reason: `under the grant given with ${id}` },
  ])
})

async function signIn(person: string): Promise<string> {
  const browser = new CookieBrowser()
  const page = await browser.open(`${stack.control}/login`)
  assert.match(page.url.pathname, /^\/interaction\//)
  await browser.open(page.url, { person })
  return browser.cookie(stack.control)
}

test('what was held, who decided it, and when, is in the audit', async () => {
  const rows = await exchangesWhere(stack, "approval_id != '' AND connection = 'openai'", 3)
  assert.deepEqual(
    rows.map((row) => [row.outcome, row.approval_outcome, row.approval_by]),
    [
      ['ok', 'approved', 'omar@example.com'],
      ['denied', 'denied', 'omar@example.com'],
      ['ok', 'approved', 'omar@example.com'],
    ],
  )
  assert.ok(rows.every((row) => Number(row.approval_held_us) > 0))
  const query = "SELECT state, decided_by_email, reason FROM approvals WHERE state = 'denied'"
  const decisions = await rowsOnce(stack, query, 1)
  assert.deepEqual(decisions, [
    { state: 'denied', decided_by_email: 'omar@example.com', reason: 'not today' },
  ])
})
