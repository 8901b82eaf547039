// One of the demo's two services alone, for a compose file: node src/demo/serve.ts provider|inference
import { readFileSync } from 'node:fs'
import { demo_dashboard_client, startOpenidProvider } from './openid_provider.ts'
import { startInferenceService } from './inference_service.ts'

const usage = `usage: serve.ts provider|inference

provider   an OpenID provider without passwords, for trying out only. Reads HOST, PORT, ISSUER,
           DASHBOARD_SECRET_FILE, REDIRECT_URIS (separated by spaces), and OPEN_TOKENS=1 to hand tokens to
           whoever asks
inference  a small inference service that leaks made-up credentials. Reads HOST, PORT, API_KEY_FILE, SEED
`

/** The variable's value; ends the process when it is missing. */
function need(name: string): string {
  const value = process.env[name]
  if (value) return value
  console.error(`${name} must be set\n\n${usage}`)
  process.exit(2)
}

/** First line of the file that the variable names. */
function needFile(name: string): string {
  return (readFileSync(need(name), 'utf8').split('\n')[0] ?? '').trim()
}

async function start(kind: string | undefined): Promise<{ readonly port: number; close(): Promise<void> }> {
  const host = process.env.HOST ?? '127.0.0.1'
  if (kind === 'inference') {
    const port = Number(process.env.PORT ?? 8083)
    return startInferenceService({ host, port, api_key: needFile('API_KEY_FILE'), seed: need('SEED') })
  }
  if (kind === 'provider') {
    const port = Number(process.env.PORT ?? 8082)
    return startOpenidProvider({
      host,
      port,
      issuer: process.env.ISSUER ?? `http://127.0.0.1:${port}`,
      redirect_uris: need('REDIRECT_URIS').split(/\s+/),
      dashboard_secret: needFile('DASHBOARD_SECRET_FILE'),
      open_tokens: process.env.OPEN_TOKENS === undefined ? undefined : process.env.OPEN_TOKENS === '1',
    })
  }
  console.error(usage)
  process.exit(2)
}

const kind = process.argv[2]
const service = await start(kind)
const client = kind === 'provider' ? `, dashboard client ${demo_dashboard_client}` : ''
console.log(`demo ${kind} listens on port ${service.port}${client}; for trying out only`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void service.close().then(() => process.exit(0)))
}
