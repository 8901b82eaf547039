// The package's entry in Chromium, bundled as docs/scanner.md says.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { generateSecret } from '../../corpus/secrets/generate.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'
import { openChromium } from '../dashboard/open_chromium.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
}

/** A page that masks what `window.mask` is given, built by Vite into `folder`/dist. */
async function buildPage(folder: string): Promise<void> {
  const entry = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).exports['./scanner']
  writeFileSync(join(folder, 'index.html'), '<!doctype html><script type="module" src="/main.ts"></script>')
  writeFileSync(
    join(folder, 'main.ts'),
    `import { createScanner } from 'sluice/scanner'
const scanner = await createScanner()
window.mask = (text) => {
  const stream = scanner.open({ contentType: 'text/plain' })
  const output = new TextDecoder().decode(stream.end(new TextEncoder().encode(text)))
  return { output, detectors: stream.findings.map(({ detector }) => detector) }
}
`,
  )
  await build({
    root: folder,
    logLevel: 'error',
    build: { target: 'es2023', assetsInlineLimit: 0 },
    resolve: { alias: { 'sluice/scanner': join(root, entry) } },
  })
}

test('the package entry finds and masks a secret in a browser', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-browser-'))
  const pat = generateSecret(
    catalogue.filter((detector) => detector.kind === 'token').find(({ id }) => id === 'github-pat')!,
    5,
  )
  await buildPage(folder)
  const server = createServer((request, response) => {
    const path = request.url === '/' ? '/index.html' : request.url!
    try {
      const bytes = readFileSync(join(folder, 'dist', path))
      response
        .writeHead(200, { 'content-type': types[extname(path)] ?? 'application/octet-stream' })
        .end(bytes)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const browser = await openChromium()
  try {
    const page = await browser.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    await page.waitForFunction('window.mask !== undefined', undefined, { timeout: 60_000 })
    const encoded = Buffer.from(`token: ${pat}`).toString('base64')
    const result = await page.evaluate(`window.mask(${JSON.stringify(`a ${pat} b ${encoded} c`)})`)
    assert.deepEqual(result, {
      output: `a [REDACTED:github-pat] b ${encoded.slice(0, 4)}[REDACTED:github-pat] c`,
      detectors: ['github-pat', 'github-pat'],
    })
    assert.deepEqual(errors, [])
  } finally {
    await browser.close()
    server.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
