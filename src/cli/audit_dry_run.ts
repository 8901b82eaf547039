import { ConfigError, formatProblem } from '../config/config_error.ts'
import { loadConfig } from '../config/load_config.ts'
import { decideAgain, recordedFate } from '../policy/decide_again.ts'
import type { Connection } from '../policy/snapshot.ts'
import { createScanner, type Finding, type Scanner } from '../scanner/scanner.ts'
import { type ControlClient, ControlClientError } from './control_client.ts'
import { type RecordedRequest, recordedRequests } from './recorded_requests.ts'
import { writeOut } from './standard_output.ts'
import { printable } from './text_table.ts'
import { UsageError } from './usage_error.ts'

/** What is tried: a whole configuration, or keywords that would hold a request wherever it goes. */
export interface DryRun {
  readonly connections: Readonly<Record<string, Connection>> | null
  readonly scanner: Scanner
}

export interface DryRunOptions {
  readonly config: string | undefined
  readonly keywords: string | undefined
  readonly from_ms: number
  readonly to_ms: number
  readonly format: 'text' | 'jsonl'
}

/** A reference whose variable is not set here stands for this: what it is for never runs. */
const unset = 'not-set-for-the-dry-run'

/** Prints every recorded request that would fare otherwise under the changed policy. */
export async function dryRun(client: ControlClient, options: DryRunOptions): Promise<number> {
  const tried = await triedPolicy(options)
  const counts = { looked_at: 0, otherwise: 0, not_judged: 0, partial: 0 }
  for await (const request of recordedRequests(client, options.from_ms, options.to_ms)) {
    const was = recordedFate(request.outcome, request.code, request.approval_id)
    if (was === null) {
      counts.not_judged++
      continue
    }
    counts.looked_at++
    if (request.partial) counts.partial++
    const would_be = verdict(tried, request)
    if (would_be.fate === was) continue
    counts.otherwise++
    if (!(await writeOut(lineOf(request, was, would_be, options.format)))) return 0
  }
  process.stderr.write(summary(counts))
  return 0
}

async function triedPolicy({ config: file, keywords }: DryRunOptions): Promise<DryRun> {
  if ((file === undefined) === (keywords === undefined))
    throw new UsageError('either --config FILE or --keywords WORDS')
  if (keywords !== undefined) {
    const words = keywords.split(',').map((word) => word.trim().toLowerCase())
    if (words.some((word) => word === '')) throw new UsageError('--keywords: words with commas between')
    return { connections: null, scanner: await createScanner({ keywords: words }) }
  }
  const env = new Proxy(process.env, {
    getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true, writable: true, value: unset }),
    get: (set, name) => Reflect.get(set, name) ?? unset,
  })
  try {
    const { connections, detectors } = await loadConfig(file!, env)
    const rules = Object.values(connections).flatMap(({ approve }) => approve)
    const scanner = await createScanner({
      mode: detectors.entropy === 'strict' ? 'strict' : 'balanced',
      entropy: detectors.entropy !== 'off',
      keywords: [...new Set(rules.flatMap((rule) => rule.keywords ?? []).map((word) => word.toLowerCase()))],
      rules: detectors.rules,
      knownSecrets: detectors.known_secrets,
    })
    return { connections, scanner }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ControlClientError(1, error.problems.map(formatProblem).join('\n'))
  }
}

function verdict({ connections, scanner }: DryRun, request: RecordedRequest) {
  // What was found then is masked now, so it is not found again.
  const known = request.detectors.map((detector) => ({ detector, kind: 'secret', masked: '' }) as const)
  const again = [
    ...scan(scanner, request.query, 'text/plain').filter(({ kind }) => kind === 'keyword'),
    ...scan(scanner, request.body, request.content_type),
  ]
  const findings = [...known, ...again]
  if (connections !== null) return decideAgain(connections, { ...request, findings })
  const triggers = [
    ...new Set(again.filter(({ kind }) => kind === 'keyword').map(({ masked }) => masked.toLowerCase())),
  ]
  const was = recordedFate(request.outcome, request.code, request.approval_id) ?? 'allowed'
  // Keywords only add a reason to hold what would otherwise go through.
  if (triggers.length === 0 || was === 'denied') return { fate: was, why: '', triggers }
  return { fate: 'held', why: 'keywords', triggers } as const
}

function scan(scanner: Scanner, text: string, contentType: string): readonly Finding[] {
  if (text === '') return []
  const stream = scanner.open({ contentType, action: 'flag' })
  stream.end(Buffer.from(text))
  return stream.findings
}

function lineOf(
  request: RecordedRequest,
  was: string,
  { fate, why, triggers }: ReturnType<typeof verdict>,
  format: 'text' | 'jsonl',
): string {
  const { id, started_at_us, principal, connection, method, path, partial } = request
  const started_at = new Date(started_at_us / 1000).toISOString()
  const caller = principal.email || principal.subject
  if (format === 'jsonl') {
    const told = {
      id,
      started_at,
      caller,
      connection,
      method,
      path,
      was,
      would_be: fate,
      why,
      triggers,
      partial,
    }
    return `${JSON.stringify(told)}\n`
  }
  const because = why === '' ? '' : ` by ${why}${triggers.length > 0 ? ` (${triggers.join(', ')})` : ''}`
  return `${printable(`${started_at} ${id} ${caller}: ${method} ${path} on ${connection || '-'}: was ${was}, would be ${fate}${because}`)}\n`
}

function summary(
  counts: Readonly<Record<'looked_at' | 'otherwise' | 'not_judged' | 'partial', number>>,
): string {
  const { looked_at, otherwise, not_judged, partial } = counts
  const lines = [`${otherwise} of ${looked_at} requests would fare otherwise`]
  if (partial > 0)
    lines.push(
      `${partial} were judged by a part of their body: the rest was not recorded, not scanned, or erased`,
    )
  if (not_judged > 0) lines.push(`${not_judged} were refused before any policy looked at them`)
  return lines.map((line) => `${line}\n`).join('')
}
