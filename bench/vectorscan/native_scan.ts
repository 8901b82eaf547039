import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import type { DetectorRegex } from './regex_catalogue.ts'

/** What a machine lacks to run this, and how to get it; null when nothing is missing. */
export function missingForVectorscan(): string | null {
  const lacking: string[] = []
  try {
    execFileSync('g++', ['--version'], { stdio: 'ignore' })
  } catch {
    lacking.push('g++')
  }
  if (!existsSync('/usr/include/hs/hs.h')) lacking.push('libvectorscan-dev')
  return lacking.length === 0 ? null : `not measured: apt-get install ${lacking.join(' ')}`
}

/** One match of a regex, told when it ends. */
export interface NativeMatch {
  readonly id: string
  /** Offset behind it. */
  readonly end: number
}

/** A native program that scans texts with Vectorscan. */
export interface NativeScan {
  /** Vectorscan's version, the regexes that compiled, and why others didn't. */
  readonly version: string
  readonly compiled: number
  readonly refused: readonly string[]
  /** Scans a text once. @returns ms and matches */
  time(text: number): Promise<{ ms: number; matches: number }>
  matches(text: number): Promise<NativeMatch[]>
}

/**
 * Compiles the program into a temporary folder, gives it regexes and texts, and keeps it running while `use` does, so that it
 * can take turns with other scanners.
 */
export async function withNativeScan<T>(
  regexes: readonly DetectorRegex[],
  texts: readonly Uint8Array[],
  use: (scan: NativeScan) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-vectorscan-'))
  let child: ChildProcess | undefined
  try {
    const program = join(folder, 'scan_patterns')
    const source = join(import.meta.dirname, 'scan_patterns.cc')
    execFileSync('g++', ['-O3', '-march=native', '-std=c++17', source, '-o', program, '-lhs'])
    writeFileSync(join(folder, 'patterns'), regexes.map(({ id, regex }) => `${id}\t${regex}\n`).join(''))
    const files = texts.map((text, i) => {
      const file = join(folder, `text${i}`)
      writeFileSync(file, text)
      return file
    })
    child = spawn(program, [join(folder, 'patterns'), ...files], { stdio: ['pipe', 'pipe', 'inherit'] })
    return await use(await talk(child, regexes))
  } finally {
    if (child && child.exitCode === null) {
      child.stdin?.end()
      await once(child, 'exit')
    }
    rmSync(folder, { recursive: true })
  }
}

async function talk(child: ChildProcess, regexes: readonly DetectorRegex[]): Promise<NativeScan> {
  const lines: Interface = createInterface({ input: child.stdout! })
  const answers = lines[Symbol.asyncIterator]()
  const read = async (): Promise<string> => {
    const { value, done } = await answers.next()
    if (done) throw new Error('the Vectorscan program ended')
    return value
  }
  const ask = (question: string) => {
    child.stdin!.write(`${question}\n`)
    return read()
  }
  return {
    ...JSON.parse(await read()),
    async time(text) {
      const [ns, matches] = (await ask(`time ${text}`)).split(' ').map(Number)
      return { ms: ns! / 1e6, matches: matches! }
    },
    async matches(text) {
      const told = (await ask(`ends ${text}`)).trim()
      return told.split(' ').flatMap((match) => {
        const [pattern, end] = match.split(':').map(Number)
        return end === undefined ? [] : [{ id: regexes[pattern!]!.id, end }]
      })
    },
  }
}
