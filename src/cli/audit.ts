import { readFile, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkEvidence, type Evidence } from '../audit/evidence.ts'
import type { ErasedBodies } from '../audit/erase_bodies.ts'
import type { VerifyReport } from '../audit/verify_log.ts'
import type { AuditJob } from '../control/audit_job.ts'
import { dryRun } from './audit_dry_run.ts'
import { exportSessions, since } from './audit_sessions.ts'
import {
  type ControlClient,
  ControlClientError,
  controlClient,
  default_control_url,
} from './control_client.ts'
import { controlCommand } from './control_command.ts'
import { printable } from './text_table.ts'
import { UsageError } from './usage_error.ts'

export const usage = `usage: sluice audit verify
       sluice audit export ID [--out FILE]
       sluice audit check FILE --key PUBLIC_KEY_FILE
       sluice audit keys
       sluice audit sessions [--since TIME] [--format jsonl]
       sluice audit dry-run --config FILE [--since TIME] [--before TIME] [--format jsonl]
       sluice audit dry-run --keywords WORDS [--since TIME] [--before TIME] [--format jsonl]
       sluice audit erase --person SUBJECT --reason TEXT [--before TIME]

verify reads everything recorded and compares it with what was signed; it names the first record of each log that was
changed, removed, inserted or reordered. export writes evidence of one exchange: the record, the proof that it is in the
log, the signed head of the log. check verifies such a file offline, with a public key that you trust. keys prints the
gateway's public keys. sessions prints every exchange with its masked bodies, a line of JSON each, oldest last. erase takes
the masked bodies of a person out of everything recorded, for good; what is left verifies as before. dry-run applies another
configuration, or words that would hold a request, to what was recorded, and lists what would have been held, denied or let
through otherwise. It sees masked bodies: no word inside a mask, and nothing that was not recorded.

--out FILE    where the evidence goes; default standard output
--key FILE    public key in PEM, as keys prints it
--since TIME  such as 2026-01-31, 2026-01-31T12:00:00Z, or 90m, 12h, 7d ago; default 1d
--person S     subject of the person, as the column subject of exchanges has it
--reason TEXT why, recorded with your name
--before TIME only what began before it; default now
--config FILE a sluice.yaml; variables that its references name need not be set
--keywords W  words or phrases, with commas between
--url URL     the control listener; default SLUICE_URL, else ${default_control_url}
--token TOKEN your access token; default SLUICE_TOKEN; needs the role auditor or admin,
              for erase admin

Exit code 0: all is as it was written, 1: it is not, or the gateway refused, 2: called wrongly or not reached.
`

const poll_ms = 500

/** `sluice audit`. */
export function run(args: string[]): Promise<number> {
  return controlCommand(
    {
      name: 'audit',
      usage,
      words: 2,
      options: {
        out: { type: 'string' },
        key: { type: 'string' },
        since: { type: 'string' },
        format: { type: 'string' },
        person: { type: 'string' },
        reason: { type: 'string' },
        before: { type: 'string' },
        config: { type: 'string' },
        keywords: { type: 'string' },
      },
    },
    args,
    async ([what, name], values) => {
      if (what === 'check') return await check(name, values.key)
      if ((what === 'export') !== (name !== undefined)) throw new UsageError('which exchange?')
      if (what === 'verify') return await verify(controlClient(values))
      if (what === 'export') return await exportOne(controlClient(values), name ?? '', values.out)
      if (what === 'keys') return await printKeys(controlClient(values))
      if (what === 'erase') return await erase(controlClient(values), values)
      if (values.format !== undefined && values.format !== 'jsonl')
        throw new UsageError('the only format is jsonl')
      if (what === 'dry-run') return await tryPolicy(controlClient(values), values)
      if (what !== 'sessions')
        throw new UsageError('verify, export, check, keys, sessions, dry-run or erase?')
      return await exportSessions(controlClient(values), since(values.since ?? '1d', Date.now()))
    },
  )
}

function tryPolicy(
  client: ControlClient,
  values: { config?: string; keywords?: string; since?: string; before?: string; format?: string },
): Promise<number> {
  const now = Date.now()
  return dryRun(client, {
    config: values.config,
    keywords: values.keywords,
    from_ms: since(values.since ?? '1d', now),
    to_ms: values.before === undefined ? now : since(values.before, now, '--before'),
    format: values.format === 'jsonl' ? 'jsonl' : 'text',
  })
}

/** Begins a job of the gateway's and waits until it is done. */
async function finished<T>(client: ControlClient, path: string, failed: string, body?: object) {
  let now = await client.json<AuditJob<T>>('POST', path, body)
  while (now.state === 'running') {
    await sleep(poll_ms)
    now = await client.json<AuditJob<T>>('GET', path)
  }
  if (now.report === null) throw new ControlClientError(1, `${failed}: ${now.problem}`)
  return { report: now.report, seconds: ((now.ended_at - now.started_at) / 1000).toFixed(1) }
}

async function erase(
  client: ControlClient,
  { person, reason, before }: { person?: string; reason?: string; before?: string },
): Promise<number> {
  if (person === undefined || person === '') throw new UsageError('--person: whose bodies?')
  if (reason === undefined || reason === '') throw new UsageError('--reason: why? It is recorded.')
  const body = { person, reason, ...(before && { before: since(before, Date.now(), '--before') }) }
  const { report } = await finished<ErasedBodies>(
    client,
    '/api/v1/audit/erasure',
    'nothing was erased, or not all',
    body,
  )
  const { exchanges, frames, bytes, approvals, approvals_kept } = report
  process.stdout.write(`erased: ${bytes} bytes in ${frames} pieces of ${exchanges} exchanges\n`)
  if (approvals > 0) process.stdout.write(`erased: ${approvals} previews of held requests\n`)
  if (approvals_kept > 0)
    process.stdout.write(
      `kept until they expire: ${approvals_kept} previews that an earlier release recorded\n`,
    )
  return 0
}

async function verify(client: ControlClient): Promise<number> {
  const { report, seconds } = await finished<VerifyReport>(
    client,
    '/api/v1/audit/verify',
    'the audit could not be verified',
  )
  const { records, logs, heads, erased, expired, set_aside, unsealed, behind_head } = report
  process.stdout.write(`${records} records in ${logs} logs, ${heads} signed heads, ${seconds} s\n`)
  for (const [count, what] of [
    [erased, 'erased: their bodies are gone, all else is as it was written'],
    [expired, 'expired: only their leaves are left'],
    [set_aside, 'refused by ClickHouse and set aside'],
    [unsealed, 'not sealed: recorded before there was a log, or by a gateway that has none'],
    [behind_head, 'newer than the last head that could be checked'],
  ] as const) {
    if (count > 0) process.stdout.write(`${count} ${what}\n`)
  }
  for (const key of report.unknown_keys)
    process.stdout.write(`heads signed by ${printable(key)} were not checked: the key is not known here\n`)
  for (const { kind, log_id, sequence, up_to, id, detail } of report.tampering) {
    const place = up_to === sequence ? `record ${sequence}` : `one of the records ${sequence} to ${up_to}`
    const which = id === '' ? '' : ` (${id})`
    process.stdout.write(printable(`TAMPERED: ${kind}: ${place}${which} of log ${log_id}: ${detail}`))
    process.stdout.write('\n')
  }
  if (report.tampering.length === 0) process.stdout.write('nothing was changed\n')
  return report.tampering.length === 0 ? 0 : 1
}

async function exportOne(client: ControlClient, id: string, out: string | undefined): Promise<number> {
  const file = await client.text('GET', `/api/v1/exchanges/${encodeURIComponent(id)}/evidence`)
  if (out === undefined) process.stdout.write(file)
  else await writeFile(out, file, { mode: 0o600 })
  return 0
}

async function check(file: string | undefined, key: string | undefined): Promise<number> {
  if (file === undefined) throw new UsageError('which file?')
  if (key === undefined) throw new UsageError('--key: which public key do you trust?')
  const [text, public_key] = await Promise.all([read(file), read(key)])
  const problem = checkEvidence(text, public_key)
  if (problem !== null) {
    process.stdout.write(`NOT GENUINE: ${problem}\n`)
    return 1
  }
  const { leaf, head, bodies } = JSON.parse(text) as Evidence
  const when = new Date(head.signed_at).toISOString()
  process.stdout.write(
    `genuine: exchange ${leaf.id} of ${leaf.started_at} UTC is record ${leaf.sequence} of log ${leaf.log_id}\n` +
      `signed at ${when} by key ${head.key_id} over ${head.tree_size} records\n`,
  )
  const erased = bodies.filter((body) => body === null).length
  if (erased > 0) process.stdout.write(`${erased} of ${bodies.length} pieces of its bodies were erased\n`)
  return 0
}

async function read(file: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(file))
  } catch (error) {
    if (error instanceof TypeError) return ''
    throw new UsageError(`cannot read ${file}: ${(error as NodeJS.ErrnoException).code}`)
  }
}

async function printKeys(client: ControlClient): Promise<number> {
  const { keys } = await client.json<{ keys: { public_key: string }[] }>('GET', '/api/v1/audit/keys')
  process.stdout.write(keys.map(({ public_key }) => public_key).join(''))
  return 0
}
