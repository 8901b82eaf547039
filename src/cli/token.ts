import { freshToken, LoginError } from './kept_login.ts'

export const usage = `usage: sluice token

Prints a fresh access token of whoever signed in with sluice login, for an SDK:

  OPENAI_API_KEY=$(sluice token) python chat.py

Exit code 0: printed, 1: nobody is signed in or the sign-in has expired, 2: called wrongly.
`

/** `sluice token`. */
export async function run(args: string[]): Promise<number> {
  if (args.length > 0) {
    process.stderr.write(`sluice token: takes no arguments\n\n${usage}`)
    return 2
  }
  try {
    process.stdout.write(`${await freshToken()}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof LoginError)) throw error
    process.stderr.write(`sluice token: ${error.message}\n`)
    return 1
  }
}
