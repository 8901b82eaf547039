import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { type Ledger, openLedger } from '../../src/approval/ledger.ts'
import { type Audit, openAudit } from '../../src/audit/audit.ts'
import { openConnections } from '../../src/config/connection_register.ts'
import type { ExchangeRecord } from '../../src/audit/exchange_record.ts'
import { loadConfig } from '../../src/config/load_config.ts'
import { startControl } from '../../src/control/server.ts'
import { demo_audience, demo_dashboard_client, startOpenidProvider } from '../../src/demo/openid_provider.ts'
import { createIssuerKeys } from '../../src/identity/issuer_keys.ts'
import { openApiKeys } from '../../src/identity/api_key_register.ts'
import { createTokenVerifier } from '../../src/identity/verify_token.ts'
import { silent_log } from '../../src/log.ts'
import { openTextTrial } from '../../src/scanner/text_trial.ts'
import { openLmdbStore } from '../../src/state/lmdb_store.ts'
import { CookieBrowser } from '../end_to_end/cookie_browser.ts'
import { freePort } from '../end_to_end/stack.ts'

/** The control plane on its own, all of it real: OpenID provider, LMDB, ClickHouse in process, the HTTP listener. */
export interface ControlStack {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string
  readonly ledger: Ledger
  readonly audit: Audit
  /** Records an exchange as the gateway does: in the audit, and told to the dashboards. */
  record(exchange: ExchangeRecord): void
  readonly issuer: string
  /** An access token of somebody in these groups, from an issuer of this test's own. */
  token(subject: string, groups: readonly string[], email?: string): Promise<string>
  /** Signs one of the demo's people in. @returns the `Cookie` header */
  signIn(person: string): Promise<string>
  /** A request with a bearer token or a cookie. */
  ask(path: string, options?: AskOptions): Promise<Answer>
  close(): Promise<void>
}

export interface AskOptions {
  readonly token?: string
  readonly cookie?: string
  readonly method?: string
  /** Sent as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The text as JSON, or null. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  readonly json: any
}

const trial_settings = {
  mode: 'balanced',
  entropy: true,
  keywords: ['export'],
  fingerprint_key: randomBytes(32),
} as const

/** What the connection `openai` signs in with. */
export const upstream_credential = randomBytes(24).toString('hex')

const own_issuer = 'https://tokens.example.com'

/** @param health what `/healthz` says beside the status */
export async function startControlStack(roles = default_roles, health = {}): Promise<ControlStack> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-control-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const dashboard_secret = randomBytes(24).toString('hex')
  const provider = await startOpenidProvider({ redirect_uris: [`${url}/login/callback`], dashboard_secret })
  await writeFile(join(folder, 'sluice.yaml'), configuration(provider.issuer, port, roles))
  const config = await loadConfig(join(folder, 'sluice.yaml'), {
    DASHBOARD_SECRET: dashboard_secret,
    UPSTREAM_KEY: upstream_credential,
  })
  const keys = createIssuerKeys(config.identity.issuers, silent_log)
  await keys.start()
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'test', alg: 'ES256' }] }
  const own = {
    issuer: own_issuer,
    audience: demo_audience,
    groups_claim: 'groups',
    algorithms: ['ES256'],
    jwks,
  }
  const verifier = createTokenVerifier([...keys.trusted(), own])
  const store = await openLmdbStore(join(folder, 'state'))
  const ledger = await openLedger(store)
  const api_keys = await openApiKeys(store)
  const env = { ADDED_KEY: upstream_credential }
  const connections = await openConnections({ store, config: () => config, env })
  const inForce = () => ({ ...connections.connections(), ...config.connections })
  const audit = await openAudit({
    folder: join(folder, 'audit'),
    clickhouse: null,
    retention_days: 30,
    log: silent_log,
  })
  const control = await startControl({
    config: {
      ...config,
      get connections() {
        return inForce()
      },
    },
    connections,
    resolvedConnection: (name) => inForce()[name],
    ledger,
    audit,
    verifier: () => verifier,
    metrics_text: async () => '# TYPE test gauge\ntest 1\n',
    health: () => ({ status: 'ok', ...health }),
    api_keys,
    text_trial: openTextTrial(() => trial_settings),
    log: silent_log,
  })
  return {
    url,
    ledger,
    audit,
    record(exchange) {
      audit.append(exchange)
      control.recorded(exchange)
    },
    issuer: provider.issuer,
    token: (subject, groups, email = `${subject}@example.com`) =>
      new SignJWT({ groups, email })
        .setProtectedHeader({ alg: 'ES256', kid: 'test' })
        .setIssuer(own_issuer)
        .setAudience(demo_audience)
        .setSubject(subject)
        .setIssuedAt()
        .setExpirationTime('10m')
        .sign(privateKey),
    async signIn(person) {
      const browser = new CookieBrowser()
      const page = await browser.open(`${url}/login`)
      await browser.open(page.url, { person })
      return browser.cookie(url)
    },
    ask: (path, options) => ask(url + path, options),
    async close() {
      await control.close()
      await ledger.close()
      await api_keys.close()
      await connections.close()
      await audit.close()
      await store.close()
      keys.stop()
      await provider.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const default_roles = '{ admin: [root], approver: [security-oncall], auditor: [audit] }'

function configuration(issuer: string, port: number, roles: string): string {
  return `gateway: test-gateway
listen: { proxy: "127.0.0.1:0", control: "127.0.0.1:${port}" }
identity:
  issuer: ${issuer}
  audience: ${demo_audience}
  dashboard: { client_id: ${demo_dashboard_client}, client_secret: "\${env:DASHBOARD_SECRET}" }
  roles: ${roles}
connections:
  openai:
    upstream: "http://127.0.0.1:1"
    credential: { header: authorization, value: "Bearer \${env:UPSTREAM_KEY}" }
    allow: [{ groups: [ml-eng], methods: [POST], models: ["gpt-*"] }]
    approve: [{ name: risky-words, keywords: [export], approvers: [security-oncall] }]
  ollama: { upstream: "http://127.0.0.1:2", allow: [{ groups: [ml-eng] }] }
api_connections:
  upstreams: ["http://127.0.0.1:*"]
  secrets: [{ env: [ADDED_KEY], upstreams: ["http://127.0.0.1:*"] }]
`
}

async function ask(url: string, { token, cookie, method, body, headers }: AskOptions = {}): Promise<Answer> {
  const sent = new Headers(headers)
  if (token !== undefined) sent.set('authorization', `Bearer ${token}`)
  if (cookie !== undefined) sent.set('cookie', cookie)
  if (body !== undefined && !sent.has('content-type')) sent.set('content-type', 'application/json')
  const response = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: sent,
    redirect: 'manual',
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: parsed(text) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
