// More text that machines write: certificates, attachments, notebooks, source maps, logs, lock files of other kinds.
import { generateUuid } from '../secrets/generate.ts'
import { createRandom, type Random } from '../secrets/random.ts'

const hex = '0123456789abcdef'
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const base62 = `${letters}0123456789`
const base64 = `${base62}+/`
const names =
  'alpha bridge canvas delta engine forge garden harbour indigo jasper kernel lantern meadow north orbit'.split(
    ' ',
  )

const repeat = (count: number, make: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => make(i)).join('\n')
const version = (random: Random) => `${random.below(20)}.${random.below(40)}.${random.below(9)}`
const base64Lines = (random: Random, width: number, count: number) =>
  repeat(count, (i) => random.text(base64, i === count - 1 ? random.between(6, width - 2) : width))

/** X.509 certificates in PEM: 64 characters a line, or a whole one in a line of JSON or YAML. */
export function certificates(seed: number, count: number): string {
  const random = createRandom(seed)
  const dashes = '-'.repeat(5)
  return repeat(count, (i) => {
    const body = `MII${random.text(base64, 61)}\n${base64Lines(random, 64, random.between(8, 24))}==`
    const pem = `${dashes}BEGIN CERTIFICATE${dashes}\n${body}\n${dashes}END CERTIFICATE${dashes}`
    if (i % 4 === 1) return JSON.stringify({ ca: pem })
    if (i % 4 === 2) return `  certificate: |\n${pem.replaceAll(/^/gm, '    ')}`
    return pem
  })
}

/** A mail with attachments in base64, 76 characters a line (RFC 2045). */
export function mail(seed: number, attachments: number): string {
  const random = createRandom(seed)
  return repeat(attachments, () => {
    const boundary = `----=_Part_${random.below(10_000)}_${random.below(1e9)}.${random.below(1e9)}`
    const head = `Message-ID: <${random.text(base62, 24)}@mail.example.com>\r\nContent-Type: multipart/mixed; boundary="${boundary}"`
    const type = 'Content-Type: application/pdf; name="report.pdf"\r\nContent-Transfer-Encoding: base64'
    return `${head}\r\n\r\n--${boundary}\r\n${type}\r\n\r\n${base64Lines(random, 76, random.between(4, 60)).replaceAll('\n', '\r\n')}=\r\n--${boundary}--\r\n`
  })
}

/** Jupyter notebooks: cell ids, execution counts, images in base64 cut at 76 characters, as JSON strings. */
export function notebook(seed: number, cells: number): string {
  const random = createRandom(seed)
  const one = (i: number) => {
    const image = `${base64Lines(random, 76, random.between(4, 40))}\n`
    const data = i % 3 === 0 ? { 'image/png': `iVBORw0KGgo${image}` } : { 'text/plain': [`<Figure ${i}>`] }
    return {
      cell_type: 'code',
      id: random.text(hex, 8),
      execution_count: i,
      metadata: {
        colab: { base_uri: 'https://localhost:8080/', height: 34 },
        id: random.text(base62, 12),
        outputId: generateUuid(random),
      },
      outputs: [{ data, output_type: 'display_data' }],
      source: ['import numpy as np\n', `np.random.seed(${random.below(1000)})\n`],
    }
  }
  return JSON.stringify({ cells: Array.from({ length: cells }, (_, i) => one(i)), nbformat: 4 }, null, 1)
}

/** Mappings in base64 VLQ and the names they refer to. */
export function sourceMap(seed: number, segments: number): string {
  const random = createRandom(seed)
  const vlq = () =>
    random.text('ACEGIKMOQSUWYacegikmoqsuwy', random.between(4, 5)) + random.pick(['', ',', ';', ';;'])
  const mappings = Array.from({ length: segments }, () => `${vlq()},`).join('')
  return JSON.stringify({ version: 3, sources: ['../src/engine.ts'], names: ['loadEngine', 'x'], mappings })
}

/** Services' logs: request, trace and session ids of many shapes, digests, addresses, user agents. */
export function serviceLog(seed: number, lines: number): string {
  const random = createRandom(seed)
  const kinds: readonly (() => string)[] = [
    () => `x-amzn-RequestId: ${generateUuid(random)} x-amz-id-2: ${random.text(base64, 74)}==`,
    () => `requestId=${random.text(base62, 22)} method=GET path=/v1/${random.pick(names)} status=200`,
    () => `{"level":"info","req_id":"${random.text('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 26)}","msg":"done"}`,
    () => `Root=1-${random.text(hex, 8)}-${random.text(hex, 24)};Parent=${random.text(hex, 16)};Sampled=1`,
    () => `traceparent: 00-${random.text(hex, 32)}-${random.text(hex, 16)}-01`,
    () => `pulled ${random.pick(names)}@sha256:${random.text(hex, 64)} in ${random.below(90)}s`,
    () => `etag: W/"${random.text(hex, 4)}-${random.text(base62, 27)}" cache: HIT`,
    () => `container ${random.text(hex, 12)} (${random.text(hex, 64)}) exited 0`,
    () =>
      `pod/${random.pick(names)}-${random.text('bcdfghjklmnpqrstvwxz2456789', 9)}-${random.text('bcdfghjklmnpqrstvwxz2456789', 5)} ready`,
    () => `session ${random.text(base62, 32)} closed after ${random.below(900)} s`,
    () => `cf-ray: ${random.text(hex, 16)}-FRA content-md5: ${random.text(base64, 22)}==`,
    () => `0x${random.text(hex, 40)} -> 0x${random.text(hex, 64)} gas ${random.below(100_000)}`,
    () =>
      `    at Object.<anonymous> (/srv/app/dist/${random.pick(names)}-${random.text(base62, 8)}.js:${random.below(9999)}:${random.below(80)})`,
    () => `Digest: SHA-256=${random.text(base64, 43)}= length=${random.below(99_999)}`,
  ]
  return repeat(
    lines,
    () =>
      `2026-01-${random.between(10, 28)}T09:${random.between(10, 59)}:01.${random.between(100, 999)}Z ${random.pick(kinds)()}`,
  )
}

/** yarn.lock, pnpm-lock.yaml, pip's hashes, Nix's and OCI's digests. */
export function otherLocks(seed: number, packages: number): string {
  const random = createRandom(seed)
  const kinds: readonly ((name: string) => string)[] = [
    (name) =>
      `"${name}@^1":\n  version "${version(random)}"\n  resolved "https://packages.example.org/${name}-1.tgz#${random.text(hex, 40)}"\n  integrity sha512-${random.text(base64, 86)}==`,
    (name) =>
      `  ${name}@${version(random)}:\n    resolution: {integrity: sha512-${random.text(base64, 86)}==}`,
    (name) => `"${name}@npm:^1":\n  version: ${version(random)}\n  checksum: 10c0/${random.text(hex, 128)}`,
    (name) =>
      `${name}==${version(random)} \\\n    --hash=sha256:${random.text(hex, 64)} \\\n    --hash=sha256:${random.text(hex, 64)}`,
    (name) =>
      `  ${name} = { rev = "${random.text(hex, 40)}"; hash = "sha256-${random.text(base64, 43)}="; };`,
    (name) =>
      `example.org/${name} v${version(random)} h1:${random.text(base64, 43)}=\nexample.org/${name} v${version(random)}/go.mod h1:${random.text(base64, 43)}=`,
    (name) => `  - image: packages.example.org/${name}@sha256:${random.text(hex, 64)}`,
    (name) =>
      `<script src="/${name}.js" integrity="sha384-${random.text(base64, 64)}" crossorigin="anonymous"></script>`,
  ]
  return repeat(packages, () => random.pick(kinds)(random.pick(names)))
}
