// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { loadText, problemsOf } from './config_file.ts'

let folder: string
let rules: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-sample-'))
  await writeFile(join(folder, 'oidc'), 'first\n')
  await writeFile(join(folder, 'ch'), 'second\n')
  await writeFile(join(folder, 'db'), 'mounted-82\n')
  rules = await mkdtemp(join(tmpdir(), 'sluice-rules-'))
  await writeFile(
    join(rules, '.gitleaks.toml'),
    "[[rules]]\nid = 'acme-token'\nregex = 'acme_[a-z0-9]{32}'\n",
  )
})
after(() => Promise.all([folder, rules].map((made) => rm(made, { recursive: true }))))

const env = { OPENAI_API_KEY: 'third', DB_PASSWORD: 'fourth-of-4' }

/** The production set-up that the design shows, with its secrets in a folder of this test. */
const sample = () =>
  `listen: { proxy: "0.0.0.0:8080", control: "127.0.0.1:8081" }
identity:
  issuer: https://idp.example.com/realms/acme
  audience: sluice
  groups_claim: groups
  dashboard: { client_id: sluice, client_secret: "\${file:/run/secrets/oidc}" }
  roles: { admin: [platform], approver: [security-oncall], auditor: [audit] }
connections:
  openai:
    upstream: https://api.openai.com
    credential: { header: authorization, value: "Bearer \${env:OPENAI_API_KEY}" }
    allow:
      - { groups: [ml-eng], methods: [POST], paths: ["/v1/chat/completions", "/v1/responses"], models: ["gpt-*"] }
    request: { secrets: mask, style: restore }
    response: { secrets: mask }
    approve:
      - { name: risky-words, keywords: [export, write, token], approvers: [security-oncall], hold: 3m }
detectors:
  entropy: balanced
  known_secrets: ["\${env:DB_PASSWORD}", "dir:/run/secrets"]
  import: [.gitleaks.toml]
audit:
  clickhouse: { url: "http://clickhouse:8123", database: sluice, username: sluice, password: "\${file:/run/secrets/ch}" }
  retention: 400d
state: nats://nats:4222
`
    .replaceAll('/run/secrets', folder)
    .replace('.gitleaks.toml', join(rules, '.gitleaks.toml'))

test('the sample is well-formed: without the list of what is not built yet, it loads whole', async () => {
  const config = await loadText(sample(), env, { refusals: [] })
  const openai = config.connections.openai!
  assert.deepEqual(openai.credential, { header: 'authorization', value: 'Bearer third' })
  assert.equal(openai.request.style, 'restore')
  assert.equal(openai.approve[0]?.hold_ms, 180_000)
  assert.equal(config.identity.dashboard?.client_secret, 'first')
  assert.deepEqual(config.detectors.known_secrets, ['fourth-of-4', 'mounted-82'])
  assert.deepEqual(
    config.detectors.rules.map(({ id }) => id),
    ['acme-token'],
  )
  assert.deepEqual(config.detectors.sources, [folder, join(rules, '.gitleaks.toml')])
  assert.equal(config.audit.clickhouse?.password, 'second')
  assert.equal(config.audit.retention_days, 400)
  assert.equal(config.state, 'nats://nats:4222')
  assert.deepEqual(config.nats, {
    bucket: 'sluice',
    replicas: 1,
    credentials: '',
    user: '',
    password: '',
    token: '',
    tls: null,
  })
  assert.equal(config.installation_key, null)
  assert.deepEqual(
    config.warnings.map(({ line, message }) => `${line} ${message.replace(folder, '')}`),
    ['20 /ch is shorter', '20 /oidc is shorter'].map(
      (begin) => `${begin} than 8 bytes and would be found by chance; it is not searched for`,
    ),
  )
})

test('it loads as it stands, with nothing refused', async () => {
  assert.deepEqual(await problemsOf(sample(), env), [])
})
