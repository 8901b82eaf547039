import { type AddressInfo, createServer } from 'node:net'

/** Nobody can listen there. */
export class ListenError extends Error {
  /** The system's code (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, …), or `worker_failed`. */
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
 * @param port 0: any. The native server does not share a port that it chose itself, so it is chosen here.
 * @returns the port, which was free a moment ago.
 * @throws {ListenError}
 */
export async function listenablePort(host: string, port: number): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? 'unknown'
      reject(new ListenError(code, `cannot listen on ${host}:${port}: ${reason(code)}`))
    })
    server.listen({ host, port, exclusive: true }, resolve)
  })
  const bound = (server.address() as AddressInfo).port
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return bound
}

function reason(code: string): string {
  if (code === 'EADDRINUSE') return 'something else listens there'
  if (code === 'EACCES') return 'this user may not use that port'
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return 'this machine has no such address'
  return code
}
