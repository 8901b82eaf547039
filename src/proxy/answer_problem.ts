import type { ExchangeOutcome } from '../audit/exchange_record.ts'
import { Problem, type ProblemCode, problemBody, problemHeaders, providerError } from '../problem/problem.ts'
import { streamError } from '../wire/stream_error.ts'
import { CallerGone, type Exchange } from './exchange.ts'

/**
 * Tells the caller why its exchange failed: a problem while nothing was sent, an error event inside an event stream, or a
 * connection that breaks off, so that half a response is never taken for a whole one.
 */
export function answerProblem(exchange: Exchange, error: unknown): void {
  exchange.call?.abort()
  exchange.upload?.destroy()
  if (error instanceof CallerGone) {
    exchange.outcome = 'client_aborted'
    return
  }
  const problem = error instanceof Problem ? error : unexpected(error)
  exchange.code = problem.recorded_code || problem.code
  exchange.outcome = outcomeOf(problem.code)
  const { caller } = exchange
  exchange.session?.closeFor(problem)
  if (!caller.open) return
  if (!caller.head_sent) {
    exchange.status = problem.status
    caller.discardBody() // the answer waits for its record, and nobody needs what is sent meanwhile
    caller.setHead(problem.status, problemHeaders(problem))
    const body = problemBody(problem, exchange.head.dialect)
    exchange.endWith(() => (caller.method === 'HEAD' ? caller.endWithoutBody() : caller.end(body)))
  } else if (exchange.answers !== null) {
    const { dialect } = exchange.head
    const rest = streamError(exchange.answers, dialect, providerError(problem, dialect), heldBack(exchange))
    exchange.endWith(() => exchange.outlet!.finish(rest))
  } else {
    exchange.outlet?.destroy()
    caller.cut()
  }
}

/** What the scanner still kept of a stream; nothing when the scanner itself was what failed. */
function heldBack(exchange: Exchange): string {
  if (exchange.code === 'gateway_failed') return ''
  try {
    return Buffer.from(exchange.response_body!.end()).toString('utf8')
  } catch (error) {
    if (error instanceof Problem) return ''
    throw error
  }
}

/** A bug here. It ends this exchange only; what it was goes to the process's own log, never to the caller. */
function unexpected(error: unknown): Problem {
  console.error(error instanceof Error ? error.stack : error)
  return new Problem('gateway_failed', 'the gateway failed on this request', {}, error)
}

function outcomeOf(code: ProblemCode): ExchangeOutcome {
  switch (code) {
    case 'approval_denied':
      return 'denied'
    case 'approval_pending':
      return 'pending'
    case 'gateway_failed':
    case 'stopping':
      return 'gateway_failed'
    case 'upstream_unreachable':
    case 'upstream_invalid':
    case 'upstream_cut':
    case 'upstream_timeout':
      return 'upstream_failed'
    default:
      return 'refused'
  }
}
