import { parseDuration } from '../config/durations.ts'
import type { ApiKeyList, CreatedApiKey } from '../control/api_key_routes.ts'
import type { ApiKeyInfo } from '../identity/api_key_register.ts'
import { type ControlClient, controlClient, default_control_url } from './control_client.ts'
import { controlCommand } from './control_command.ts'
import { textTable } from './text_table.ts'
import { UsageError } from './usage_error.ts'

export const usage = `usage: sluice keys list
       sluice keys create NAME --group GROUP [--group GROUP…] [--expires 90d]
       sluice keys revoke ID

API keys for services that cannot get a token from the identity provider. A key is shown once, when it is made; the gateway
keeps only its hash. Needs the role admin.

--group GROUP   a group that the key's requests are allowed by; may be given several times
--expires TIME  from now, such as 12h or 90d (default 90d)
--url URL       the control listener; default SLUICE_URL, else ${default_control_url}
--token TOKEN   your access token; default SLUICE_TOKEN, else that of sluice login

Exit code 0: done, 1: refused by the gateway, 2: called wrongly or not reached.
`

/** `sluice keys`. */
export function run(args: string[]): Promise<number> {
  return controlCommand(
    {
      name: 'keys',
      usage,
      words: 2,
      options: {
        group: { type: 'string', multiple: true },
        expires: { type: 'string' },
      },
    },
    args,
    async ([what, name], values) => {
      switch (what) {
        case 'list':
          return await list(controlClient(values))
        case 'create': {
          const { group: groups = [], expires = '90d' } = values
          if (name === undefined) throw new UsageError('create needs a name: what is the key for?')
          if (groups.length === 0) throw new UsageError('create needs at least one --group')
          const expires_ms = parseDuration(expires)
          if (expires_ms === null) throw new UsageError('--expires must be a time such as 12h or 90d')
          return await create(controlClient(values), { name, groups, expires_at: Date.now() + expires_ms })
        }
        case 'revoke':
          if (name === undefined) throw new UsageError('revoke needs an id; see: sluice keys list')
          return await revoke(controlClient(values), name)
        default:
          throw new UsageError(
            what === undefined ? 'what: list, create or revoke?' : `there is no "keys ${what}"`,
          )
      }
    },
  )
}

async function list(client: ControlClient): Promise<number> {
  const { api_keys } = await client.json<ApiKeyList>('GET', '/api/v1/api-keys')
  if (api_keys.length === 0) {
    process.stdout.write('none\n')
    return 0
  }
  const heading = ['ID', 'NAME', 'STATE', 'GROUPS', 'EXPIRES', 'LAST USED', 'MADE BY']
  const rows = api_keys.map((key) => [
    key.id,
    key.name,
    stateOf(key),
    key.groups.join(', '),
    dayOf(key.expires_at),
    key.last_used_at === null ? 'never' : new Date(key.last_used_at).toISOString().slice(0, 16),
    key.created_by,
  ])
  process.stdout.write(textTable(heading, rows))
  return 0
}

/** The key alone goes to standard output, so that it can go straight into a file or a secret store. */
async function create(client: ControlClient, wanted: object): Promise<number> {
  const made = await client.json<CreatedApiKey>('POST', '/api/v1/api-keys', wanted)
  process.stdout.write(`${made.key}\n`)
  process.stderr.write(`${made.id}, until ${dayOf(made.expires_at)}; the key is not shown again\n`)
  return 0
}

async function revoke(client: ControlClient, id: string): Promise<number> {
  const { name } = await client.json<ApiKeyInfo>('DELETE', `/api/v1/api-keys/${encodeURIComponent(id)}`)
  process.stdout.write(`${id} (${name}) is revoked\n`)
  return 0
}

function stateOf(key: ApiKeyInfo): string {
  if (key.revoked !== null) return 'revoked'
  return key.expires_at <= Date.now() ? 'expired' : 'in force'
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
