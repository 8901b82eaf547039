// Secrets that only a name beside them gives away: machine-made keys without a prefix, and passwords that people choose.
import { generateUuid } from './generate.ts'
import type { Random } from './random.ts'

/** A secret together with the name under which it is kept. */
export interface NamedSecret {
  /** In the form of an environment variable. */
  readonly name: string
  readonly value: string
}

const lower = 'abcdefghijklmnopqrstuvwxyz'
const digits = '0123456789'
const base62 = `${lower.toUpperCase()}${lower}${digits}`

/** Alphabet and length, or a function, by the names that vendors' pages give their keys. */
const formats: readonly (readonly [names: string, make: (random: Random) => string])[] = [
  ['DATADOG_API_KEY DD_API_KEY TWILIO_AUTH_TOKEN MAILCHIMP_TOKEN CHAT_API_KEY', hex(32)],
  ['DD_APP_KEY DATADOG_APP_KEY NEXMO_API_SECRET LASTFM_API_KEY', hex(40)],
  ['SENTRY_AUTH_TOKEN COINBASE_SECRET JWT_SECRET SESSION_SECRET CSRF_SECRET SECRET_KEY_BASE', hex(64)],
  ['ALGOLIA_API_KEY ALGOLIA_ADMIN_KEY FASTLY_KEY BITLY_ACCESS_TOKEN CLOUDFLARE_GLOBAL_API_KEY', hex(32)],
  ['HEROKU_API_KEY SNYK_TOKEN DELIGHTED_API_KEY POSTMARK_SERVER_TOKEN LOGZIO_TOKEN', generateUuid],
  ['AWS_SECRET_ACCESS_KEY aws_secret_access_key S3_SECRET_KEY', of(`${base62}+/`, 40)],
  ['CLOUDFLARE_API_TOKEN CF_API_TOKEN', of(`${base62}_-`, 40)],
  ['AZURE_STORAGE_KEY ACCOUNT_KEY COSMOS_DB_KEY', (random) => `${random.text(`${base62}+/`, 86)}==`],
  ['AZURE_CLIENT_SECRET CLIENT_SECRET OAUTH_CLIENT_SECRET', of(`${base62}_-`, 40)],
  ['MAILGUN_SIGNING_KEY TRAVIS_TOKEN CIRCLECI_TOKEN CODECOV_TOKEN', hex(32)],
  ['SPOTIFY_CLIENT_SECRET FACEBOOK_APP_SECRET DROPBOX_APP_SECRET', hex(32)],
  ['TWITTER_API_SECRET TWITTER_ACCESS_TOKEN_SECRET FLICKR_SECRET', of(base62, 45)],
  ['CONSUMER_KEY CONSUMER_SECRET TWITTER_API_KEY', of(base62, 25)],
  ['VAULT_SECRET_ID ROLLBAR_ACCESS_TOKEN', (random) => generateUuid(random).replaceAll('-', '')],
  ['API_KEY API_TOKEN ACCESS_TOKEN AUTH_TOKEN SERVICE_KEY', of(base62, 32)],
  ['X_API_KEY APP_SECRET SIGNING_SECRET WEBHOOK_SECRET', of(base62, 24)],
  [
    'INTERNAL_API_KEY MASTER_KEY ENCRYPTION_KEY COOKIE_SECRET',
    (random) => `${random.text(`${base62}+/`, 43)}=`,
  ],
  ['TRELLO_TOKEN KRAKEN_ACCESS_TOKEN REFRESH_TOKEN', of(base62, 64)],
  ['ZENDESK_SECRET_KEY DRONECI_ACCESS_TOKEN SUMOLOGIC_ACCESS_TOKEN YANDEX_API_KEY', of(lower + digits, 32)],
  ['ADAFRUIT_API_KEY GITTER_ACCESS_TOKEN ETSY_ACCESS_TOKEN', of(lower + digits, 24)],
  ['FINNHUB_ACCESS_TOKEN SQUARESPACE_KEY BITTREX_SECRET_KEY', of(lower + digits, 20)],
]

function of(alphabet: string, count: number): (random: Random) => string {
  return (random) => random.text(alphabet, count)
}

function hex(count: number): (random: Random) => string {
  return of(`${digits}abcdef`, count)
}

/** A secret whose own text tells nothing. */
export function contextSecret(random: Random): NamedSecret {
  const [names, make] = random.pick(formats)
  for (;;) {
    const value = make(random)
    if (/\d/.test(value) && /[A-Za-z]/.test(value)) return { name: random.pick(names.split(' ')), value }
  }
}

const password_names =
  'DB_PASSWORD PASSWORD POSTGRES_PASSWORD MYSQL_ROOT_PASSWORD REDIS_PASSWORD ADMIN_PASSWORD password db_password ' +
  'smtp_password user_password DB_PASS DB_PWD passwd PGPASSWORD keystorePassword PASSPHRASE'
const words =
  'sunshine dragon monkey summer winter shadow master football tiger coffee bailey charlie orange silver rocket banana ' +
  'falcon garden mustang pepper ginger thunder harley soccer diamond purple buster jordan spider maggie'

function capital(word: string): string {
  return word[0]!.toUpperCase() + word.slice(1)
}

function leet(word: string): string {
  return word.replace(/[aeios]/g, (letter) => ({ a: '@', e: '3', i: '1', o: '0', s: '$' })[letter] ?? letter)
}

/** A password as people make them up: words, years, a sign at the end, keyboard rows. */
export function humanPassword(random: Random): NamedSecret {
  const word = () => random.pick(words.split(' '))
  const sign = () => random.pick([...'!#*?.@'])
  const value = random.pick<() => string>([
    () => `${capital(word())}${random.between(1, 999)}`,
    () => `${capital(word())}${random.between(1970, 2026)}${sign()}`,
    () => `${word()}${random.between(10, 9999)}`,
    () => `${capital(leet(word()))}${sign()}${random.below(100)}`,
    () => `${word()}-${word()}-${random.below(100)}`,
    () => `${capital(word())}_${capital(word())}${random.below(10)}`,
    () => `${random.pick(['qwerty', 'asdfgh', 'zxcvbn', '1qaz2wsx'])}${random.between(1, 9999)}`,
    () => `${word()}${word()}`,
    () => `${random.text(lower, 3)}${sign()}${random.text(digits, 4)}${random.text(lower.toUpperCase(), 2)}`,
    () => random.text(`${base62}!#%^*-_`, random.between(8, 14)),
  ])()
  return { name: random.pick(password_names.split(' ')), value }
}
