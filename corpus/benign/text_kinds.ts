import { createRandom, type Random } from '../secrets/random.ts'

/** A kind of text that passes through a gateway: a generator of lines, and how a secret stands in one. */
export interface TextKind {
  readonly id: 'prose' | 'code' | 'json' | 'chat'
  line(random: Random): string
  /** A line with the secret in it; the secret must need no escaping. */
  withSecret(random: Random, secret: string): string
}

const nouns =
  'river stone lamp window garden paper market letter bridge harbour morning table signal answer field'.split(
    ' ',
  )
const verbs = 'carry open follow move hold watch measure return leave join build read count turn send'.split(
  ' ',
)
const small = 'the of and to in a with for on at by from as into over'.split(' ')
const fields = 'index status cursor title author region amount version summary parent created label'.split(
  ' ',
)

function sentence(random: Random): string {
  const words = Array.from({ length: random.between(8, 20) }, () => {
    return random.pick([nouns, small, verbs, small][random.below(4)]!)
  })
  return `${words.join(' ')}${random.pick(['.', '.', ',', ';', '?'])}`
}

function camel(random: Random): string {
  const second = random.pick(nouns)
  return `${random.pick(verbs)}${second[0]!.toUpperCase()}${second.slice(1)}`
}

const prose: TextKind = {
  id: 'prose',
  line: (random) => `${sentence(random)} ${sentence(random)}`,
  withSecret: (random, secret) => `${sentence(random)} ${secret} ${sentence(random)}`,
}

const code: TextKind = {
  id: 'code',
  line(random) {
    const name = camel(random)
    return random.pick([
      `  const ${name} = await this.${random.pick(nouns)}.${camel(random)}(${random.pick(nouns)}, ${random.below(64)})`,
      `  if (${name}.length > ${random.below(4096)} && !${random.pick(nouns)}) return undefined`,
      `export function ${name}(${random.pick(nouns)}: ${random.pick(nouns)}[]): number {`,
      `    ${random.pick(nouns)}[${random.below(9)}] += ${name}(${random.pick(nouns)}) // ${sentence(random)}`,
      '  }',
    ])
  },
  withSecret: (random, secret) => `  ${random.pick(nouns)}.${camel(random)}("${secret}", ${random.below(9)})`,
}

const json: TextKind = {
  id: 'json',
  line(random) {
    const values = [
      `"${sentence(random)}"`,
      `${random.below(1_000_000)}`,
      'null',
      'true',
      `["${random.pick(nouns)}"]`,
    ]
    const members = Array.from({ length: random.between(3, 6) }, () => {
      return `"${random.pick(fields)}":${random.pick(values)}`
    })
    return `{${members.join(',')}}`
  },
  withSecret: (random, secret) =>
    `{"index":${random.below(99)},"value":"${secret}","label":"${random.pick(nouns)}"}`,
}

const chat: TextKind = {
  id: 'chat',
  line(random) {
    const role = random.pick(['user', 'assistant'])
    return `{"role":"${role}","content":"${sentence(random)}\\n\\n- ${sentence(random)}\\n- \`${camel(random)}()\` ${sentence(random)}"}`
  },
  withSecret: (random, secret) =>
    `{"role":"user","content":"${sentence(random)} ${secret} ${sentence(random)}"}`,
}

export const text_kinds: readonly TextKind[] = [prose, code, json, chat]

/**
 * Text in pieces of about `piece_bytes`, each ending with a line, with one of `secrets` a piece.
 * @param secretAt gives the secret of a piece by its number
 */
export function textPieces(
  kind: TextKind,
  count: number,
  piece_bytes: number,
  secretAt: (piece: number) => string,
): string[] {
  const random = createRandom(count)
  return Array.from({ length: count }, (_, piece) => {
    const lines: string[] = []
    let bytes = 0
    const planted = random.below(piece_bytes)
    let pending: string | undefined = secretAt(piece)
    while (bytes < piece_bytes || pending !== undefined) {
      const due = pending !== undefined && bytes >= planted
      const line = due ? kind.withSecret(random, pending!) : kind.line(random)
      if (due) pending = undefined
      lines.push(line)
      bytes += line.length + 1
    }
    return `${lines.join('\n')}\n`
  })
}
