// biome-ignore-all lint/suspicious/noTemplateCurlyInString: messages show how a reference is written
import { count, mapping, text } from './schema_parts.ts'

const pem = (what: string) =>
  text(`${what} in PEM, such as "\${file:/run/secrets/nats.pem}"`, (value) =>
    value.includes('-----BEGIN ') ? null : 'must be PEM: a block that begins with -----BEGIN',
  )

/** How the gateway gets into NATS. */
export const nats = mapping({
  bucket: text('the name of a bucket', (value) =>
    /^[A-Za-z0-9_-]{1,64}$/.test(value) ? null : 'must be 1 to 64 letters, digits, _ and -',
  ).default('sluice'),
  replicas: count(1, 5).default(1),
  credentials: text('the text of a credentials file, such as "${file:/run/secrets/nats.creds}"').optional(),
  user: text('the name of a user').optional(),
  password: text('a password, such as "${file:/run/secrets/nats}"').optional(),
  token: text('a token, such as "${file:/run/secrets/nats}"').optional(),
  tls: mapping({
    ca: pem("the authority that signed the servers' certificates").optional(),
    cert: pem('the certificate of this gateway').optional(),
    key: pem('the key of that certificate').optional(),
  }).optional(),
}).prefault({})

/** 32 bytes that several gateways have in common. */
export const installation_key = text(
  '32 random bytes in hex or base64, such as "${file:/run/secrets/installation_key}"',
  (value) =>
    installationKeyOf(value) === null ? 'must be 32 random bytes, as 64 hex digits or in base64' : null,
).optional()

/** The bytes of a written key; null when it is none. */
export function installationKeyOf(text: string): Uint8Array | null {
  const trimmed = text.trim()
  if (/^[0-9a-fA-F]{64}$/.test(trimmed)) return Uint8Array.from(Buffer.from(trimmed, 'hex'))
  const bytes = /^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed) ? Buffer.from(trimmed, 'base64') : null
  return bytes?.length === 32 ? Uint8Array.from(bytes) : null
}
