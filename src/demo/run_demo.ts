import { randomBytes } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { DataFolderError } from '../config/data_folder.ts'
import { loadConfig } from '../config/load_config.ts'
import { createLog } from '../log.ts'
import { type Gateway, startGateway } from '../main.ts'
import { stopSignal } from '../stop_signal.ts'
import { type DemoPorts, demoConfig, demoPorts } from './demo_config.ts'
import { demoText } from './demo_text.ts'
import { startInferenceService } from './inference_service.ts'
import { startOpenidProvider } from './openid_provider.ts'

const usage = `usage: sluice start [--port-base N] [--data FOLDER]

Without a sluice.yaml this runs the demo, on loopback only.

--port-base N    first of the demo's four ports: gateway, control, OpenID provider, inference service (default 8080)
--data FOLDER    where the demo keeps its files (default data/demo, or data/demo-N)
`

interface DemoArguments {
  readonly ports: DemoPorts
  readonly folder: string
}

/**
 * What `sluice start` runs when there is no `sluice.yaml`: an OpenID provider, an inference service that leaks, and the
 * gateway in front of it, started from a configuration file as any other.
 * @returns exit code: 0 after a signal, 1 when a port is taken, 2 for wrong arguments.
 */
export async function runDemo(args: string[]): Promise<number> {
  const parsed = parseDemoArguments(args)
  if (typeof parsed === 'string') {
    console.error(`${parsed}\n\n${usage}`)
    return 2
  }
  const taken = await takenPorts(parsed.ports)
  if (taken.length > 0) {
    console.error(
      `The demo needs ports ${parsed.ports.proxy} to ${parsed.ports.inference} on 127.0.0.1, and something else ` +
        `listens on ${taken.join(', ')}.\nStop that, or choose others: npm start -- --port-base 9080`,
    )
    return 1
  }
  const signal = stopSignal()
  let demo: Demo
  try {
    demo = await startDemo(parsed)
  } catch (error) {
    if (!(error instanceof DataFolderError)) throw error
    console.error(
      `${error.message}\nAnother demo may run; choose another folder: npm start -- --data data/other`,
    )
    return 1
  }
  console.log(demoText(parsed.ports, `${relative(process.cwd(), parsed.folder) || '.'}/`))
  const reason = await Promise.race([signal, demo.gateway.hopeless.then((why) => ({ why }))])
  if (typeof reason !== 'string') console.error(`the gateway cannot go on: ${reason.why}`)
  await demo.stop()
  return typeof reason === 'string' ? 0 : 1
}

function parseDemoArguments(args: string[]): DemoArguments | string {
  try {
    const { values } = parseArgs({
      args,
      options: {
        'port-base': { type: 'string', default: '8080' },
        data: { type: 'string' },
      },
    })
    const base = Number(values['port-base'])
    if (!Number.isInteger(base) || base < 1024 || base > 65_532) {
      return '--port-base must be a whole number from 1024 to 65532'
    }
    // Demos on other ports keep to themselves: a data folder belongs to one gateway.
    const folder = values.data ?? (base === 8080 ? 'data/demo' : `data/demo-${base}`)
    return { ports: demoPorts(base), folder: resolve(folder) }
  } catch (error) {
    return (error as Error).message
  }
}

/** Which of the ports are in use. Asked before anything starts: two gateways could otherwise share a port unnoticed. */
async function takenPorts(ports: DemoPorts): Promise<number[]> {
  const taken: number[] = []
  for (const port of Object.values(ports)) {
    const server = createServer()
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(true))
    })
    if (free) await new Promise((resolve) => server.close(resolve))
    else taken.push(port)
  }
  return taken
}

interface Demo {
  readonly gateway: Gateway
  stop(): Promise<void>
}

/** Starts all three; when one cannot start, stops the others again. */
async function startDemo({ ports, folder }: DemoArguments): Promise<Demo> {
  const secrets = {
    dashboard_secret: randomBytes(24).toString('base64url'),
    inference_key: randomBytes(24).toString('base64url'),
  }
  const services: { close(): Promise<void> }[] = []
  const closeServices = async () => {
    await Promise.all(services.map((service) => service.close()))
  }
  try {
    await writeFiles(folder, ports, secrets)
    services.push(
      await startInferenceService({
        port: ports.inference,
        api_key: secrets.inference_key,
        seed: randomBytes(8).toString('hex'),
      }),
    )
    services.push(
      await startOpenidProvider({
        port: ports.provider,
        redirect_uris: [`http://127.0.0.1:${ports.control}/login/callback`],
        dashboard_secret: secrets.dashboard_secret,
      }),
    )
    const config = await loadConfig(join(folder, 'sluice.yaml'), process.env)
    const gateway = await startGateway(config, createLog({ format: config.log }))
    return { gateway, stop: () => gateway.stop().then(closeServices) }
  } catch (error) {
    await closeServices()
    throw error
  }
}

/** The configuration and the two secrets that it refers to, readable by this user only. */
async function writeFiles(
  folder: string,
  ports: DemoPorts,
  secrets: Readonly<Record<string, string>>,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const [name, secret] of Object.entries(secrets)) {
    const file = join(folder, name)
    await rm(file, { force: true })
    await writeFile(file, `${secret}\n`, { mode: 0o600 })
  }
  await writeFile(join(folder, 'sluice.yaml'), demoConfig(ports))
}
