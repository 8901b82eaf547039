import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium } from 'playwright-core'
import { build } from 'vite'

const root = fileURLToPath(new URL('../../dashboard', import.meta.url))

/** Debian's Chromium without a window, and without anything that it asks the network for on its own. */
export async function openChromium(): Promise<Browser> {
  if (!existsSync(`${root}/../build/dashboard/index.html`)) await build({ root, logLevel: 'warn' })
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
