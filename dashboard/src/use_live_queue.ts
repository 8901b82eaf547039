import { useEffect, useReducer, useRef, useState } from 'preact/hooks'
import { Live, type LiveStatus } from './live.ts'
import { empty_queue, isRunningOut, nextQueue, type QueueState } from './queue_state.ts'

export interface LiveQueue {
  readonly live: Live | null
  readonly status: LiveStatus
  readonly queue: QueueState
}

/** The queue of held requests, kept up to date while the component is there. */
export function useLiveQueue(signedOut: () => void): LiveQueue {
  const [status, setStatus] = useState<LiveStatus>('connecting')
  const [queue, dispatch] = useReducer(nextQueue, empty_queue)
  const [live, setLive] = useState<Live | null>(null)
  const onSignedOut = useRef(signedOut)
  onSignedOut.current = signedOut
  useEffect(() => {
    const connection = new Live({
      status: setStatus,
      event: dispatch,
      signedOut: () => onSignedOut.current(),
    })
    connection.start()
    setLive(connection)
    return () => connection.stop()
  }, [])
  const running_out = isRunningOut(queue)
  useEffect(() => {
    if (running_out) live?.refresh()
  }, [live, running_out])
  return { live, status, queue }
}
