import { existsSync } from 'node:fs'
import { chmod, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type DeviceClient, type KeptTokens, refreshTokens, refusalCode } from '../identity/device_login.ts'

/** What `sluice login` leaves for the other commands. */
export interface KeptLogin {
  readonly client: DeviceClient
  readonly tokens: KeptTokens
}

/** There is no usable login; the message says what to do. */
export class LoginError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'LoginError'
  }
}

type Env = Readonly<Record<string, string | undefined>>

/** A token that ends sooner than this is refreshed first. In ms. */
const fresh_ms_min = 30_000
/** Another process that refreshes holds the lock so long at most. In ms. */
const lock_ms_max = 20_000

/** In the person's configuration folder: `$XDG_CONFIG_HOME/sluice`, else `~/.config/sluice`. */
export function loginFile(env: Env = process.env): string {
  const { XDG_CONFIG_HOME } = env
  return join(XDG_CONFIG_HOME ? XDG_CONFIG_HOME : join(homedir(), '.config'), 'sluice', 'login.json')
}

/** Whether somebody signed in on this machine. */
export function hasKeptLogin(env: Env = process.env): boolean {
  return existsSync(loginFile(env))
}

/** Writes a file that only this person reads, whole or not at all. */
export async function keepLogin(login: KeptLogin, env: Env = process.env): Promise<string> {
  const file = loginFile(env)
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await chmod(dirname(file), 0o700)
  const beside = `${file}.${process.pid}`
  await writeFile(beside, `${JSON.stringify(login)}\n`, { mode: 0o600, flag: 'wx' })
  await rename(beside, file)
  return file
}

/** @throws LoginError when there is none, it is damaged, or others may read it */
export async function readLogin(env: Env = process.env): Promise<KeptLogin> {
  const file = loginFile(env)
  let text: string
  try {
    const { mode } = await stat(file)
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      throw new LoginError(`others may read ${file}; run: chmod 600 ${file}, or sign in again`)
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof LoginError) throw error
    throw new LoginError('nobody is signed in here; run: sluice login', error)
  }
  try {
    const login = JSON.parse(text) as KeptLogin
    if (typeof login.tokens.access_token === 'string' && typeof login.client.issuer === 'string') return login
  } catch {
    // told below
  }
  throw new LoginError(`${file} is damaged; run: sluice login`)
}

/** Forgets the login. @returns whether there was one */
export async function forgetLogin(env: Env = process.env): Promise<boolean> {
  const there = hasKeptLogin(env)
  await rm(loginFile(env), { force: true })
  return there
}

/**
 * An access token that is good for at least half a minute, refreshed when needed. Of several processes at once only one
 * refreshes: providers that rotate refresh tokens take a second use of one for theft.
 * @throws LoginError
 */
export async function freshToken(env: Env = process.env): Promise<string> {
  const login = await readLogin(env)
  if (isFresh(login)) return login.tokens.access_token
  const release = await lock(`${loginFile(env)}.lock`)
  try {
    const now = await readLogin(env)
    if (isFresh(now)) return now.tokens.access_token
    const { refresh_token } = now.tokens
    if (refresh_token === null)
      throw new LoginError(
        'the sign-in has expired, and the provider gave no refresh token; run: sluice login',
      )
    const tokens = await refreshed(now.client, refresh_token)
    await keepLogin({ client: now.client, tokens }, env)
    return tokens.access_token
  } finally {
    await release()
  }
}

function isFresh({ tokens }: KeptLogin): boolean {
  return tokens.expires_at - Date.now() > fresh_ms_min
}

async function refreshed(client: DeviceClient, refresh_token: string): Promise<KeptTokens> {
  try {
    return await refreshTokens(client, refresh_token)
  } catch (error) {
    const code = refusalCode(error)
    if (code === null)
      throw new LoginError(`cannot refresh the token at ${client.issuer}: ${(error as Error).message}`, error)
    throw new LoginError(`the provider does not renew the sign-in (${code}); run: sluice login`, error)
  }
}

/** A file that only one process can create. One that was left behind is taken over. */
async function lock(file: string): Promise<() => Promise<void>> {
  const until = Date.now() + lock_ms_max
  for (;;) {
    try {
      await (await open(file, 'wx', 0o600)).close()
      return () => rm(file, { force: true })
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST') throw error
      const age_ms = await stat(file)
        .then(({ mtimeMs }) => Date.now() - mtimeMs)
        .catch(() => 0)
      if (age_ms > lock_ms_max || Date.now() > until) await rm(file, { force: true })
      else await sleep(50)
    }
  }
}
