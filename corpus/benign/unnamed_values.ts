// What stands where a secret could: references, types, placeholders, words of a sentence. None of it is one.
import type { NamedSecret } from '../secrets/named_secrets.ts'
import type { Random } from '../secrets/random.ts'

const values = [
  '\u0024{DB_PASSWORD}',
  '$PASSWORD',
  '<your-password>',
  '<password>',
  'your-api-key-here',
  'your_token_here',
  'YOUR_API_KEY',
  'changeme',
  'xxxxxxxxxxxxxxxx',
  '****************',
  'process.env.API_KEY',
  'os.environ.get',
  'undefined',
  'null',
  'None',
  'true',
  'string',
  'required',
  '[REDACTED:generic-key-value]',
  '{{ vault_password }}',
  '%(password)s',
  'config.password',
  'this.state.password',
  'EXAMPLE_KEY_1234567890',
  'insert-token-here',
  'placeholder',
  'secretKeyRef',
  '...',
  'TODO',
]

const names = [
  'API_KEY',
  'DB_PASSWORD',
  'AUTH_TOKEN',
  'CLIENT_SECRET',
  'password',
  'MAX_TOKENS',
  'TOKEN_ENDPOINT',
  'PASSWORD_HASH_ALGORITHM',
  'CACHE_KEY',
  'PRIMARY_KEY',
]

const lines = [
  'If you forgot your password, click the link below.',
  'The token is expired and the password is wrong; the secret is required.',
  'const token = await getToken(request)',
  'password: z.string().min(8),',
  'if (password !== confirmPassword) throw new Error("passwords differ")',
  'def login(username: str, password: str) -> Token:',
  'token = tokenizer.next_token(buffer[0:16])',
  '<input type="password" name="password" placeholder="Password">',
  '--token-file /run/secrets/token --password-stdin',
  'api_key = os.environ["OPENAI_API_KEY"]',
  'String password = System.getenv("DB_PASSWORD");',
  '"password": {"type": "string", "minLength": 12},',
  'max_tokens: 4096, stop_token: "end_of_text"',
  'X-RateLimit-Token-Count: 12034',
  'curl -u "$USER:$PASS" https://api.example.com',
  'postgres://user:password@localhost/db',
  'https://<user>:<password>@host/path',
  'access_token_url: https://id.example.com/oauth2/v2.0/token',
  'passwordResetToken: user.passwordResetToken,',
  'The secret to good bread is time: let it rest for 24 hours.',
]

/** A name with a value that is no secret. */
export function unnamedValue(random: Random): NamedSecret {
  return { name: random.pick(names), value: random.pick(values) }
}

/** A line about secrets that holds none. */
export function lineWithoutSecret(random: Random): string {
  return random.pick(lines)
}
