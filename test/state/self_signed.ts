import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/** DER (ITU-T X.690): tag, length, content. */
function der(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  const length =
    body.length < 128
      ? Buffer.of(body.length)
      : body.length < 256
        ? Buffer.of(0x81, body.length)
        : Buffer.of(0x82, body.length >> 8, body.length & 255)
  return Buffer.concat([Buffer.of(tag), length, body])
}

const sequence = (...content: Uint8Array[]) => der(0x30, ...content)
const oid = (...bytes: number[]) => der(0x06, Buffer.from(bytes))
const time = (at: Date) => der(0x18, Buffer.from(`${at.toISOString().replace(/[-:T]|\.\d+/g, '')}`))

/** A certificate for 127.0.0.1 and localhost that signs itself (RFC 5280), with its key, both in PEM. Made anew each time, good for a day. */
export function selfSigned(): { readonly cert: string; readonly key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ecdsa_sha256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))
  const name = sequence(der(0x31, sequence(oid(0x55, 0x04, 0x03), der(0x0c, Buffer.from('sluice test')))))
  const day_ms = 86_400_000
  const extension = (id: Uint8Array, value: Uint8Array) => sequence(id, der(0x04, value))
  const extensions = sequence(
    extension(oid(0x55, 0x1d, 0x13), sequence(der(0x01, Buffer.of(0xff)))), // basicConstraints: an authority
    extension(
      oid(0x55, 0x1d, 0x11), // subjectAltName: an address and a name
      sequence(der(0x87, Buffer.of(127, 0, 0, 1)), der(0x82, Buffer.from('localhost'))),
    ),
  )
  const serial = randomBytes(8)
  serial[0] = (serial[0]! & 0x3f) | 0x40
  const to_be_signed = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, serial),
    ecdsa_sha256,
    name,
    sequence(time(new Date(Date.now() - day_ms / 24)), time(new Date(Date.now() + day_ms))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  )
  const signature = sign('sha256', to_be_signed, privateKey)
  const certificate = sequence(to_be_signed, ecdsa_sha256, der(0x03, Buffer.of(0), signature))
  const lines = certificate.toString('base64').replace(/.{64}/g, '$&\n')
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}
