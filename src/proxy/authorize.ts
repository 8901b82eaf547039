import { limits } from '../config/limits.ts'
import { type Decision, decide } from '../policy/decide.ts'
import { normalisePath } from '../policy/normalise_path.ts'
import { Problem } from '../problem/problem.ts'
import type { Exchange } from './exchange.ts'

/** Stage 2: which connection and path, and whether this caller may use them as far as that shows without the body. */
export function authorize(exchange: Exchange): void {
  const { caller, policy } = exchange
  const slash = caller.path.indexOf('/', 1)
  const name = slash === -1 ? caller.path.slice(1) : caller.path.slice(1, slash)
  const prepared = policy.connections.get(name)
  if (prepared === undefined)
    throw new Problem('connection_unknown', 'the first segment of the path names no connection')
  exchange.prepared = prepared
  const path = slash === -1 ? '/' : upstreamPath(caller.path.slice(slash))
  exchange.path = path
  const asked = { method: caller.method, path, model: undefined, model_count: 0, now_ms: startedAt(exchange) }
  const decision = decide(prepared.connection, exchange.principal!, asked)
  refuseDenied(decision)
  exchange.model_needed = decision.outcome === 'model_needed'
}

/** Stage 4: what only the body could tell. */
export function authorizeContent(exchange: Exchange): void {
  const { connection } = exchange.prepared!
  const { request_body } = exchange
  if (exchange.model_needed) {
    const asked = {
      method: exchange.caller.method,
      path: exchange.path,
      model: exchange.model,
      model_count: request_body?.model_count ?? 0,
      now_ms: startedAt(exchange),
    }
    refuseDenied(decide(connection, exchange.principal!, asked))
  }
  if (connection.request.secrets === 'block') refuseSecrets(exchange)
}

function startedAt({ plane, started_ms }: Exchange): number {
  return plane.epoch_ms + started_ms
}

function upstreamPath(raw: string): string {
  if (raw.length > limits.request_path_bytes_max)
    throw new Problem('path_not_allowed', 'the path is too long')
  const path = normalisePath(raw)
  if (path === null) {
    throw new Problem(
      'path_not_allowed',
      'the path must have no dot segments, empty segments, backslashes or escaped slashes, and only valid escapes',
    )
  }
  return path
}

function refuseDenied(decision: Decision): void {
  if (decision.outcome === 'deny') throw new Problem('forbidden', decision.text, { reason: decision.reason })
}

function refuseSecrets(exchange: Exchange): void {
  const found = [...exchange.head_findings, ...(exchange.request_body?.findings ?? [])]
  const detectors = new Set(
    found.filter((finding) => finding.kind === 'secret').map((finding) => finding.detector),
  )
  if (detectors.size === 0) return
  throw new Problem('secret_blocked', 'the request contains a secret; remove it and send the request again', {
    detectors: [...detectors],
  })
}
