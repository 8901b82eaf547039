import assert from 'node:assert/strict'
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config/load_config.ts'

interface Service {
  readonly build?: { readonly context: string; readonly dockerfile: string }
  readonly image: string
  readonly entrypoint?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly secrets?: readonly string[]
  readonly network_mode?: string
  readonly read_only?: boolean
  readonly depends_on?: Readonly<Record<string, object>>
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
  readonly volumes: Readonly<Record<string, unknown>>
}

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const docker = join(root, 'docker')
const compose = parse(readFileSync(join(docker, 'compose.yaml'), 'utf8'), { merge: true }) as Compose
const dockerfile = readFileSync(join(docker, 'Dockerfile'), 'utf8')
const services = Object.entries(compose.services)
const folder = mkdtempSync(join(tmpdir(), 'sluice-compose-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** `docker/sluice.yaml` as the container sees it: with the mounted secrets where it looks for them. */
async function loadMounted() {
  mkdirSync(join(folder, 'secrets'), { recursive: true })
  for (const name of compose.services.sluice?.secrets ?? []) {
    writeFileSync(join(folder, 'secrets', name), `made-up-${name}\n`)
  }
  const text = readFileSync(join(docker, 'sluice.yaml'), 'utf8')
  const file = join(folder, 'sluice.yaml')
  writeFileSync(file, text.replaceAll('/run/secrets/', `${folder}/secrets/`))
  return loadConfig(file, {})
}

test('the mounted configuration is valid with exactly the secrets that are mounted', async () => {
  const config = await loadMounted()
  assert.deepEqual(config.warnings, [])
  const used = new Set(readFileSync(join(docker, 'sluice.yaml'), 'utf8').match(/(?<=\/run\/secrets\/)\w+/g))
  assert.deepEqual([...used].sort(), [...(compose.services.sluice?.secrets ?? [])].sort())
})

test('published ports are those that the configuration listens on, and on loopback only', async () => {
  const config = await loadMounted()
  const ports = compose.services.sluice?.ports ?? []
  const provider = new URL(config.identity.issuers[0]?.issuer ?? '')
  const listening = [config.listen.proxy.port, config.listen.control.port, Number(provider.port)]
  assert.deepEqual(
    ports,
    listening.map((port) => `127.0.0.1:${port}:${port}`),
  )
  assert.equal(config.listen.proxy.host, '0.0.0.0')
  const exposed = /^EXPOSE (.+)$/m.exec(dockerfile)?.[1]?.split(' ').map(Number)
  assert.deepEqual(exposed, [config.listen.proxy.port, config.listen.control.port])
  assert.match(dockerfile, new RegExp(`HEALTHCHECK[\\s\\S]*127\\.0\\.0\\.1:${config.listen.control.port}/`))
})

test('upstreams and ClickHouse are services of the compose file, on the ports they listen on', async () => {
  const config = await loadMounted()
  for (const { upstream } of Object.values(config.connections)) {
    const { hostname, port } = new URL(upstream)
    assert.equal(compose.services[hostname]?.environment?.PORT, port)
    assert.equal(compose.services[hostname]?.environment?.HOST, '0.0.0.0')
  }
  const clickhouse = config.audit.clickhouse
  assert.ok(clickhouse)
  const { hostname, port } = new URL(clickhouse.url)
  assert.equal(port, '8123')
  assert.equal(compose.services[hostname]?.environment?.CLICKHOUSE_DB, clickhouse.database)
  assert.equal(compose.services[hostname]?.environment?.CLICKHOUSE_USER, clickhouse.username)
})

test('the provider is where the configuration looks for it, and lets the dashboard come back', async () => {
  const config = await loadMounted()
  const provider = compose.services.provider
  assert.equal(provider?.network_mode, 'service:sluice')
  assert.equal(provider.environment?.ISSUER, config.identity.issuers[0]?.issuer)
  assert.equal(provider.environment?.PORT, new URL(provider.environment?.ISSUER ?? '').port)
  const redirects = provider.environment?.REDIRECT_URIS?.split(' ') ?? []
  assert.ok(redirects.every((uri) => new URL(uri).origin === config.identity.dashboard?.public_url))
  assert.equal(Number(new URL(redirects[0] ?? '').port), config.listen.control.port)
})

test('every mounted file, named volume, secret and dependency exists', () => {
  for (const [name, service] of services) {
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':')
      if (source.startsWith('.')) assert.ok(existsSync(resolve(docker, source)), `${name} mounts ${source}`)
      else assert.ok(source in compose.volumes, `${name} uses the volume ${source}`)
    }
    for (const secret of service.secrets ?? []) assert.ok(secret in compose.secrets, `${name} uses ${secret}`)
    for (const other of Object.keys(service.depends_on ?? {})) assert.ok(other in compose.services)
  }
  const written = /for name in (.+); do/
    .exec(readFileSync(join(docker, 'compose.yaml'), 'utf8'))?.[1]
    ?.split(' ')
  assert.deepEqual(Object.keys(compose.secrets), written)
  for (const [name, { file }] of Object.entries(compose.secrets)) assert.equal(file, `./secrets/${name}`)
})

test('services that read files from variables have the secret they name', () => {
  for (const [name, service] of services) {
    for (const [variable, value] of Object.entries(service.environment ?? {})) {
      if (!variable.endsWith('_FILE')) continue
      assert.ok(service.secrets?.includes(value.replace('/run/secrets/', '')), `${name} reads ${value}`)
    }
  }
})

test('the sample services are given every variable that their program asks for', () => {
  const program = readFileSync(join(root, 'src/demo/serve.ts'), 'utf8')
  const known = new Set(
    [...program.matchAll(/\b(?:need|needFile)\('(\w+)'\)|process\.env\.(\w+)/g)].map((m) => m[1] ?? m[2]),
  )
  for (const name of ['provider', 'inference']) {
    const service = compose.services[name]
    assert.deepEqual(service?.entrypoint, ['node', 'src/demo/serve.ts', name])
    for (const variable of Object.keys(service?.environment ?? {})) {
      assert.ok(known.has(variable), `${name} is given ${variable}, which serve.ts does not read`)
    }
  }
})

test('a read-only service takes secrets from files, the only kind that compose can mount there', () => {
  for (const [name, service] of services) {
    if (!service.read_only) continue
    for (const secret of service.secrets ?? []) assert.ok(compose.secrets[secret]?.file, `${name}: ${secret}`)
  }
})

test('the image is built from files that exist and are not left out of the build context', () => {
  const ignore = readFileSync(join(docker, 'Dockerfile.dockerignore'), 'utf8').split('\n')
  for (const [, sources = ''] of dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
    for (const source of sources.split(' ')) {
      assert.ok(existsSync(join(root, source)), `COPY ${source}`)
      assert.ok(ignore.includes(`!${source.replace('./', '')}`), `${source} is left out of the build context`)
    }
  }
  for (const [name, { build }] of services) {
    if (!build) continue
    assert.equal(resolve(docker, build.context), root, name)
    assert.ok(existsSync(join(root, build.dockerfile)), name)
  }
})

test('the image starts programs that exist, as a user without rights, in a folder that it owns', async () => {
  const config = await loadMounted()
  const entrypoint = JSON.parse(/^ENTRYPOINT (.+)$/m.exec(dockerfile)?.[1] ?? '[]') as string[]
  assert.ok(existsSync(join(root, entrypoint[1] ?? '')), entrypoint.join(' '))
  const command = JSON.parse(/^CMD (.+)$/m.exec(dockerfile)?.[1] ?? '[]') as string[]
  const mounted = compose.services.sluice?.volumes?.map((volume) => volume.split(':')[1])
  assert.ok(mounted?.includes(command.at(-1)))
  assert.match(dockerfile, /^USER sluice$/m)
  assert.match(dockerfile, new RegExp(`install -d -o sluice .*${config.data}`))
  assert.ok(mounted?.includes(config.data))
})

test('the build stage copies everything that the build reads', () => {
  for (const needed of ['package-lock.json', 'asconfig.json', 'assembly', 'dashboard', 'scripts', 'src']) {
    assert.match(dockerfile, new RegExp(`^COPY .*\\b${needed.replace('.', '\\.')}\\b`, 'm'))
  }
  // The dashboard imports the messages of the control plane; nothing of it may lie outside what is copied.
  for (const file of globSync('dashboard/**/*.{ts,tsx}', { cwd: root })) {
    if (!statSync(join(root, file)).isFile()) continue
    for (const [, target = ''] of readFileSync(join(root, file), 'utf8').matchAll(/from '(\.[^']+)'/g)) {
      const path = resolve(root, dirname(file), target)
      assert.match(path.slice(root.length + 1), /^(dashboard|src)\//, file)
    }
  }
})
