// Text that machines write and that looks random without being secret: lock files, logs, digests, images.
import { generateUuid } from '../secrets/generate.ts'
import { createRandom, type Random } from '../secrets/random.ts'

const hex = '0123456789abcdef'
const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const words = (
  'river stone lamp window garden paper north market letter summer bridge quiet copper field harbour morning table number ' +
  'signal carry answer export write token path engine layer mirror record simple vector yellow'
).split(' ')

const repeat = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n')
const identifier = (random: Random) => `${random.pick(words)}-${random.pick(words)}`
const version = (random: Random) => `${random.below(20)}.${random.below(40)}.${random.below(9)}`

/** In the shape of package-lock.json: a SHA-512 in base64 a package. */
export function lockFile(seed: number, packages: number): string {
  const random = createRandom(seed)
  return repeat(packages, () => {
    const name = identifier(random)
    const resolved = `https://packages.example.org/${name}/-/${name}-${version(random)}.tgz`
    const integrity = `sha512-${random.text(base64, 86)}==`
    return `    "node_modules/${name}": {\n      "resolved": "${resolved}",\n      "integrity": "${integrity}"\n    },`
  })
}

/** In the shape of Cargo.lock: a SHA-256 in hex a package. */
export function cargoLock(seed: number, packages: number): string {
  const random = createRandom(seed)
  return repeat(packages, () => {
    return `name = "${identifier(random)}"\nversion = "${version(random)}"\nchecksum = "${random.text(hex, 64)}"\n`
  })
}

/** In the shape of go.sum: a SHA-256 in base64 a module. */
export function goSum(seed: number, modules: number): string {
  const random = createRandom(seed)
  return repeat(
    modules,
    () => `example.org/${identifier(random)} v${version(random)} h1:${random.text(base64, 43)}=`,
  )
}

export function accessLog(seed: number, lines: number): string {
  const random = createRandom(seed)
  return repeat(lines, () => {
    const time = new Date(1_760_000_000_000 + random.below(1_000_000_000)).toISOString()
    const ids = `request_id=${generateUuid(random)} trace=${random.text(hex, 32)} span=${random.text(hex, 16)}`
    const path = `/${random.pick(words)}/${random.below(100_000)}/${random.pick(words)}`
    return `${time} INFO ${ids} GET ${path} 200 ${random.below(900)}ms ip=10.0.${random.below(256)}.${random.below(256)}`
  })
}

export function gitLog(seed: number, commits: number): string {
  const random = createRandom(seed)
  return repeat(commits, () => {
    const title = repeat(6, () => random.pick(words)).replaceAll('\n', ' ')
    return `commit ${random.text(hex, 40)}\nAuthor: ${random.pick(words)} <${random.pick(words)}@example.com>\n\n    ${title}\n`
  })
}

export function imageInHtml(seed: number, bytes: number): string {
  const random = createRandom(seed)
  return `<p>A drawing:</p>\n<img alt="a drawing" src="data:image/png;base64,iVBORw0KGgo${random.text(base64, bytes)}=="/>`
}

/** Sentences of plain words; some of them are words that context rules look for. */
export function plainProse(seed: number, sentences: number): string {
  const random = createRandom(seed)
  return repeat(sentences, () => {
    const sentence = Array.from({ length: random.between(6, 18) }, () => random.pick(words)).join(' ')
    return `${sentence[0]!.toUpperCase()}${sentence.slice(1)}.`
  })
}

/** One long line of short names, as a minifier leaves it. */
export function minifiedCode(seed: number, statements: number): string {
  const random = createRandom(seed)
  const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
  const name = () => random.text(letters, random.between(1, 2))
  return repeat(statements, () => {
    return `var ${name()}=${name()}(${random.below(999)}),${name()}=${name()}.${random.pick(words)}?${name()}:!${random.below(2)};`
  }).replaceAll('\n', '')
}

export function uuidList(seed: number, count: number): string {
  const random = createRandom(seed)
  return repeat(count, (i) => (i % 3 === 0 ? generateUuid(random).toUpperCase() : generateUuid(random)))
}
