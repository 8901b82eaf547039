// A bare upstream in a process of its own: answers every POST with the body that it is told at the start, once the
// request body is in. Prints its port by IPC.
import { App, us_socket_local_port } from 'uWebSockets.js'

const answer = process.argv[2] ?? '{}'

App()
  .post('/*', (res) => {
    res.onAborted(() => {})
    res.onData((_chunk, last) => {
      if (last) res.cork(() => res.writeHeader('content-type', 'application/json').end(answer))
    })
  })
  .listen('127.0.0.1', 0, (socket) => {
    if (!socket) throw new Error('no free port')
    process.send?.({ port: us_socket_local_port(socket) })
  })

// A listening uWebSockets.js app keeps the process alive; a signal ends it without running exit handlers.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
