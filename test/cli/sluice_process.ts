import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const entry = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

export interface SluiceProcess {
  readonly child: ChildProcess
  /** Everything written so far. */
  stdout(): string
  stderr(): string
  /** Resolves once standard output contains the text; rejects when the process ends before or it takes too long. */
  said(text: string, wait_ms?: number): Promise<void>
  /** The exit code, or the signal that ended it. */
  ended(): Promise<number | string>
}

/** Starts `sluice` with arguments, as the installed command would. */
export function startSluice(
  args: string[],
  options: { env?: Record<string, string>; cwd?: string } = {},
): SluiceProcess {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A login of whoever runs the tests is none of their business.
    env: { ...process.env, XDG_CONFIG_HOME: '/nonexistent', ...options.env },
    cwd: options.cwd,
  })
  const written = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      written[name] += text
    })
  }
  const closed = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  return {
    child,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    ended: () => closed,
    async said(text, wait_ms = 30_000) {
      const deadline = performance.now() + wait_ms
      while (!written.stdout.includes(text)) {
        const over = child.exitCode !== null || child.signalCode !== null || performance.now() > deadline
        if (over) throw new Error(`"${text}" was not said:\n${written.stdout}\n${written.stderr}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
  }
}

/** Runs `sluice` to its end. */
export async function runSluice(args: string[], options: Parameters<typeof startSluice>[1] = {}) {
  const sluice = startSluice(args, options)
  const code = await sluice.ended()
  return { code, stdout: sluice.stdout(), stderr: sluice.stderr() }
}
