import { useEffect, useState } from 'preact/hooks'
import type { ApprovalDetail } from '../../src/control/messages.ts'
import { api, messageOf } from './api.ts'

export interface LoadedDetail {
  readonly detail: ApprovalDetail | null
  /** Empty when there is none. */
  readonly failure: string
  readonly retry: () => void
}

/** An approval with its masked body. */
export function useApprovalDetail(id: string): LoadedDetail {
  const [detail, setDetail] = useState<ApprovalDetail | null>(null)
  const [failure, setFailure] = useState('')
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    const abort = new AbortController()
    setDetail(null)
    setFailure('')
    api<ApprovalDetail>(`/api/v1/approvals/${id}`, { signal: abort.signal })
      .then(setDetail)
      .catch((error) => !abort.signal.aborted && setFailure(messageOf(error)))
    return () => abort.abort()
  }, [id, attempt])
  return { detail, failure, retry: () => setAttempt(attempt + 1) }
}
