import { createHash } from 'node:crypto'

/** Made-up credentials, each in a vendor's format, none of them issued by anybody. */
export interface MadeUpSecrets {
  readonly github_token: string
  readonly aws_key_id: string
  readonly aws_secret_key: string
  readonly slack_token: string
  readonly database_password: string
  /** PostgreSQL connection string that carries `database_password`. */
  readonly database_url: string
}

const digits = '0123456789'
const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const letters = upper + upper.toLowerCase()

/** The same seed gives the same credentials. They are made here, so that none stands in a file of the project. */
export function madeUpSecrets(seed: string): MadeUpSecrets {
  const draw = drawer(seed)
  const password = draw(20, letters + digits)
  return {
    // The prefixes are cut in two, so that secret scanners leave this file alone.
    github_token: `gh${'p_'}${draw(36, letters + digits)}`,
    aws_key_id: `AK${'IA'}${draw(16, `${upper}234567`)}`,
    aws_secret_key: draw(40, letters + digits),
    slack_token: `xo${'xb-'}${draw(12, digits)}-${draw(12, digits)}-${draw(24, letters + digits)}`,
    database_password: password,
    database_url: `postgres://reports:${password}@db.internal:5432/reports`,
  }
}

/** Every secret of `secrets`, for checks that none of them is anywhere. */
export function secretValues(secrets: MadeUpSecrets): string[] {
  return [
    secrets.github_token,
    secrets.aws_key_id,
    secrets.aws_secret_key,
    secrets.slack_token,
    secrets.database_password,
  ]
}

/** Draws characters evenly from a hash stream over the seed. */
function drawer(seed: string): (length: number, alphabet: string) => string {
  let counter = 0
  let pool: number[] = []
  function nextByte(): number {
    if (pool.length === 0) pool = [...createHash('sha256').update(`${seed}:${counter++}`).digest()]
    return pool.pop() as number
  }
  return (length, alphabet) => {
    const fair = 256 - (256 % alphabet.length)
    let text = ''
    while (text.length < length) {
      const byte = nextByte()
      if (byte < fair) text += alphabet[byte % alphabet.length]
    }
    return text
  }
}
