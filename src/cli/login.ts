import { parseArgs } from 'node:util'
import { signInByDevice } from '../identity/device_login.ts'
import { forgetLogin, hasKeptLogin, keepLogin, readLogin } from './kept_login.ts'
import { printable } from './text_table.ts'

export const usage = `usage: sluice login [--issuer URL] [--client-id ID] [--scope SCOPE] [--resource URI]
       sluice login --forget

Signs you in at the identity provider with a code that you confirm in a browser, on this machine or another. The tokens are
kept in your configuration folder, readable by you alone; sluice token, approvals, keys and sql use them.

--issuer URL     default SLUICE_ISSUER, else that of the last sign-in
--client-id ID   a public client with the device grant; default SLUICE_CLIENT_ID, else that of the last sign-in
--scope SCOPE    default "openid email offline_access"
--resource URI   which service the token is for, where the provider asks (RFC 8707)
--forget         remove the tokens from this machine

Exit code 0: done, 1: not signed in, 2: called wrongly.
`

/** `sluice login`. */
export async function run(args: string[]): Promise<number> {
  let values: { issuer?: string; 'client-id'?: string; scope?: string; resource?: string; forget?: boolean }
  try {
    values = parseArgs({
      args,
      options: {
        issuer: { type: 'string' },
        'client-id': { type: 'string' },
        scope: { type: 'string' },
        resource: { type: 'string' },
        forget: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    process.stderr.write(`sluice login: ${(error as Error).message}\n\n${usage}`)
    return 2
  }
  if (values.forget) {
    process.stdout.write((await forgetLogin()) ? 'forgotten\n' : 'nobody was signed in\n')
    return 0
  }
  const before = hasKeptLogin() ? await readLogin().catch(() => null) : null
  const issuer = values.issuer ?? process.env.SLUICE_ISSUER ?? before?.client.issuer
  const client_id = values['client-id'] ?? process.env.SLUICE_CLIENT_ID ?? before?.client.client_id
  if (issuer === undefined || client_id === undefined || !URL.canParse(issuer)) {
    process.stderr.write(`sluice login: where? give --issuer URL and --client-id ID\n\n${usage}`)
    return 2
  }
  const scope = values.scope ?? before?.client.scope ?? 'openid email offline_access'
  const client = { issuer, client_id, scope, resource: values.resource ?? before?.client.resource ?? '' }
  try {
    const tokens = await signInByDevice(client, ({ url, code, complete_url }) => {
      process.stderr.write(
        `Open ${printable(complete_url ?? url)}\nand confirm the code ${printable(code)}\n`,
      )
    })
    const file = await keepLogin({ client, tokens })
    process.stderr.write(`signed in; the tokens are in ${file}\n`)
    return 0
  } catch (error) {
    process.stderr.write(`sluice login: ${printable((error as Error).message)}\n`)
    return 1
  }
}
