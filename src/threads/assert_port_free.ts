import { createServer } from 'node:net'

/** Nobody can listen there. */
export class ListenError extends Error {
  /** The system's code: `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, … */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.name = 'ListenError'
    this.code = code
  }
}

/**
 * Binds an address for a moment. The workers share theirs by SO_REUSEPORT, and so would a second gateway without anybody
 * noticing; this one asks without it.
 * @throws {ListenError}
 */
export async function assertPortFree(host: string, port: number): Promise<void> {
  if (port === 0) return
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? 'unknown'
      reject(new ListenError(code, `cannot listen on ${host}:${port}: ${reason(code)}`))
    })
    server.listen({ host, port, exclusive: true }, resolve)
  })
  await new Promise<void>((resolve) => server.close(() => resolve()))
}

function reason(code: string): string {
  if (code === 'EADDRINUSE') return 'something else listens there'
  if (code === 'EACCES') return 'this user may not use that port'
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return 'this machine has no such address'
  return code
}
