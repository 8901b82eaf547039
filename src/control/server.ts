import { fileURLToPath } from 'node:url'
import type { Ledger } from '../approval/ledger.ts'
import type { Audit } from '../audit/audit.ts'
import type { ExchangeRecord } from '../audit/exchange_record.ts'
import type { Config, Roles } from '../config/config.ts'
import type { ConnectionRegister } from '../config/connection_register.ts'
import { limits } from '../config/limits.ts'
import type { ApiKeyRegister } from '../identity/api_key_register.ts'
import type { TokenVerifier } from '../identity/verify_token.ts'
import type { Log } from '../log.ts'
import type { TextTrial } from '../scanner/text_trial.ts'
import type { Principal } from '../policy/principal.ts'
import type { Connection } from '../policy/snapshot.ts'
import { Problem } from '../problem/problem.ts'
import { StoreError } from '../state/store_error.ts'
import { type Credentials, signedInPerson } from './authenticate_person.ts'
import type { ControlContext } from './control_context.ts'
import { setCookie } from './cookies.ts'
import { type HttpAnswer, type HttpRequest, problemAnswer } from './http_message.ts'
import { LiveChannel } from './live_channel.ts'
import { createOpenidLogin } from './openid_login.ts'
import type { Person } from './person.ts'
import { refuseCrossSite } from './refuse_cross_site.ts'
import { answerRoute } from './routes.ts'
import { Sessions } from './sessions.ts'
import { loadStaticFiles } from './static_files.ts'
import { type LiveHandler, listen } from './uws_server.ts'

/** Where the built dashboard is. */
const dashboard_folder = fileURLToPath(new URL('../../build/dashboard', import.meta.url))

export interface ControlOptions {
  readonly config: Config
  readonly ledger: Ledger
  readonly audit: Audit
  /** Absent: no API keys. */
  readonly api_keys?: ApiKeyRegister
  /** Absent: none can be added. */
  readonly connections?: ConnectionRegister
  /** One in force, with what it signs in with. Default: as `config` has it. */
  readonly resolvedConnection?: (name: string) => Connection | undefined
  /** The current one; the issuers' keys change. */
  readonly verifier: () => TokenVerifier
  /** The current ones. Default: those of `config`, which then change only with a restart. */
  readonly roles?: () => Roles
  /** In Prometheus' text format. */
  readonly metrics_text: () => Promise<string>
  /** Shown by /healthz and /readyz; `status` `down` or `stopping` is not ready. */
  readonly health: () => object
  readonly text_trial: TextTrial
  readonly log: Log
}

export interface Control {
  readonly port: number
  /** Where browsers reach it, without a trailing slash. */
  readonly origin: string
  /** Tells the dashboards that an exchange was recorded. */
  recorded(record: ExchangeRecord): void
  /** Closes the listener, every connection and every session. */
  close(): Promise<void>
}

/** Starts the control listener: dashboard, sign-in, API, live channel, health and metrics. */
export async function startControl(options: ControlOptions): Promise<Control> {
  const { config, ledger, log } = options
  const { dashboard } = config.identity
  let port = config.listen.control.port
  const own_origin = () =>
    dashboard?.public_url ?? `http://${browserHost(config.listen.control.host)}:${port}`
  const secure = dashboard?.public_url?.startsWith('https:') ?? false
  const sessions = new Sessions()
  const credentials: Credentials = {
    sessions,
    // The prefix makes browsers refuse the cookie from anywhere but this very host, over https.
    session_cookie: secure ? '__Host-sluice_session' : 'sluice_session',
    verifier: options.verifier,
    roles: options.roles ?? (() => config.identity.roles),
    sign_in: dashboard !== null,
  }
  const signedIn = (person: Principal) =>
    setCookie(credentials.session_cookie, sessions.open(person).id, {
      path: '/',
      max_age_s: limits.session_ms_max / 1000,
      secure,
    })
  const groups_claim =
    config.identity.issuers.find(({ issuer }) => issuer === dashboard?.issuer)?.groups_claim ?? 'groups'
  const channel = new LiveChannel(ledger, config.gateway, log)
  const context: ControlContext = {
    ...options,
    dashboards: () => channel.browsers,
    api_keys: options.api_keys ?? null,
    connections: options.connections ?? null,
    resolvedConnection:
      options.resolvedConnection ??
      ((name) => (Object.hasOwn(config.connections, name) ? config.connections[name] : undefined)),
    sessions,
    credentials,
    own_origin,
    static_files: await loadStaticFiles(dashboard_folder),
    login: dashboard && createOpenidLogin({ client: dashboard, groups_claim, own_origin, signedIn, log }),
  }
  sessions.onEnd((id) => channel.endSession(id))
  const server = listen({
    ...config.listen.control,
    answer: (request) => answer(context, request),
    too_large: problemAnswer(
      new Problem('request_too_large', `a body is at most ${limits.control_body_bytes_max} bytes here`),
    ),
    live_path: '/api/v1/live',
    live: liveHandler(context, channel),
  })
  port = server.port
  return {
    port,
    origin: own_origin(),
    recorded: (record) => channel.recorded(record),
    async close() {
      channel.close()
      sessions.close()
      server.close()
    },
  }
}

async function answer(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  try {
    return await answerRoute(context, request)
  } catch (error) {
    if (error instanceof Problem) return problemAnswer(error)
    if (error instanceof StoreError) {
      context.log.error(
        { path: request.path, code: error.code, reason: error.message },
        'the state store failed',
      )
      const detail = 'what the gateways share cannot be read or written just now; nothing was changed'
      return problemAnswer(new Problem('state_unavailable', detail, { retry_after: 5 }, error))
    }
    context.log.error(
      { path: request.path, reason: described(error) },
      'a request on the control listener failed',
    )
    return problemAnswer(new Problem('gateway_failed', 'the gateway failed to answer; its log says why'))
  }
}

function liveHandler(context: ControlContext, channel: LiveChannel): LiveHandler<Person> {
  return {
    async admit(request) {
      try {
        refuseCrossSite(request, context.own_origin())
        const person = signedInPerson(request, context.credentials)
        if (!person) throw new Problem('token_missing', 'sign in at /login first')
        if (channel.browsers < limits.live_connections_max) return { person }
        throw new Problem('overloaded', `at most ${limits.live_connections_max} dashboards are open at once`)
      } catch (error) {
        if (error instanceof Problem) return { refusal: problemAnswer(error) }
        throw error
      }
    },
    opened: (socket, person) => channel.opened(socket, person),
    message: (socket, frame) => channel.message(socket, frame),
    closed: (socket) => channel.closed(socket),
  }
}

/** What a browser on this machine writes for an address that means all of them. */
function browserHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

function described(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
