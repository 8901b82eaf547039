import { parseArgs } from 'node:util'
import { http_cases } from './http_cases.ts'
import { CaseUpstream, type Coding, codings, faultOf, sendCase } from './over_http.ts'

const usage = `usage: main.ts --gateway URL [--token TOKEN] [--listen PORT] [--host HOST] [--coding CODING]…

Sends every shape through any gateway: an inference service that listens on HOST:PORT (127.0.0.1:9900) plays each case, and
the gateway at URL must pass requests on to it. Bodies are sent in each CODING (identity, gzip, deflate, br, zstd).`

const { values } = parseArgs({
  options: {
    gateway: { type: 'string' },
    token: { type: 'string', default: '' },
    listen: { type: 'string', default: '9900' },
    host: { type: 'string', default: '127.0.0.1' },
    coding: { type: 'string', multiple: true, default: ['identity'] },
  },
})
const asked = values.coding.filter((name): name is Coding => Object.hasOwn(codings, name))
if (values.gateway === undefined || asked.length < values.coding.length) {
  console.error(usage)
  process.exit(2)
}
const gateway = values.gateway.replace(/\/$/, '')

const upstream = new CaseUpstream()
await upstream.listen(Number(values.listen), values.host)
let faults = 0
for (const coding of asked) {
  for (const each of http_cases) {
    const fault = await sendCase(gateway, values.token, upstream, each, { coding }).then(
      (arrived) => faultOf(each, arrived),
      (error: Error) => error.message,
    )
    if (fault === null) continue
    faults++
    console.log(`${each.name}, ${coding}: ${fault}`)
  }
}
console.log(`${asked.length * http_cases.length - faults} of ${asked.length * http_cases.length} cases hold`)
await upstream.close()
process.exitCode = faults === 0 ? 0 : 1
