import { AuditError, type AuditErrorCode } from '../audit/audit_error.ts'
import { Problem, type ProblemCode } from '../problem/problem.ts'

const problem_of: Readonly<Partial<Record<AuditErrorCode, ProblemCode>>> = {
  query_refused: 'bad_request',
  query_failed: 'bad_request',
  query_too_large: 'bad_request',
  busy: 'overloaded',
  clickhouse_unavailable: 'audit_unavailable',
  closed: 'stopping',
}

/** Runs something on the audit; what the person can know of its failure becomes a problem. @throws Problem */
export async function askAudit<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const code = error instanceof AuditError ? problem_of[error.code] : undefined
    if (!(error instanceof AuditError) || !code) throw error
    throw new Problem(code, error.message, { reason: error.code }, error)
  }
}
