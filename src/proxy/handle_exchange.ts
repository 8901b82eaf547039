import { answerProblem } from './answer_problem.ts'
import { authenticate } from './authenticate.ts'
import { authorize, authorizeContent } from './authorize.ts'
import { callUpstream } from './call_upstream.ts'
import type { Exchange } from './exchange.ts'
import { holdForApproval } from './hold_for_approval.ts'
import { limitCaller } from './limit_caller.ts'
import { recordOpening } from './record_opening.ts'
import { relayResponse } from './relay_response.ts'
import { scanRequest } from './scan_request.ts'

/**
 * The whole path of an exchange. The order of the stages is fixed: nothing is read before the caller is known, nobody is
 * asked before the request is masked, and nothing goes upstream before all of them agreed.
 *
 * A stage that refuses throws a `Problem`. Every end comes to `finish()` once, which writes the audit record and then
 * lets the last byte of the answer go.
 */
export async function handleExchange(exchange: Exchange): Promise<void> {
  try {
    await authenticate(exchange) //               who calls?                           401
    authorize(exchange) //                        may they do this here?               403, 404
    limitCaller(exchange) //                      not too much, too often?             429
    const body = await scanRequest(exchange) //   read, mask; whole when a rule asks   413, 415
    authorizeContent(exchange) //                 the model, and blocked secrets       403
    await holdForApproval(exchange) //            a person decides                     403, 409
    await recordOpening(exchange) //              strict: on the disk before it goes   503
    const call = await callUpstream(exchange, body) //                                 502, 504
    await relayResponse(exchange, call) //        scan, mask, stream back
  } catch (error) {
    answerProblem(exchange, error)
  } finally {
    exchange.finish()
  }
}
