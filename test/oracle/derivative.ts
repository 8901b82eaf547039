import { type PatternNode, parsePattern } from '../../src/scanner/parse_pattern.ts'

/**
 * A pattern as what is left of it (Brzozowski 1964): `derive(byte)` is the pattern for the rest of the input behind that
 * byte, or undefined when no input matches any more. No automaton is built, so it checks the one that is.
 */
export interface Residual {
  /** Whether the empty text matches. */
  readonly nullable: boolean
  derive(byte: number): Residual | undefined
}

type Shape =
  | { readonly kind: 'empty' }
  | { readonly kind: 'set'; readonly set: Uint8Array }
  | { readonly kind: 'sequence'; readonly first: Term; readonly rest: Term }
  | { readonly kind: 'choice'; readonly options: readonly Term[] }
  | { readonly kind: 'repeat'; readonly body: Term; readonly min: number; readonly max: number }

/** Equal terms are one object, so that derivatives can be remembered. */
class Term implements Residual {
  readonly id: number
  readonly shape: Shape
  readonly nullable: boolean
  readonly #derived: (Term | null | undefined)[] = []

  constructor(id: number, shape: Shape) {
    this.id = id
    this.shape = shape
    this.nullable = isNullable(shape)
  }

  derive(byte: number): Term | undefined {
    this.#derived[byte] ??= derivative(this.shape, byte) ?? null
    return this.#derived[byte] ?? undefined
  }
}

const terms = new Map<string, Term>()

function term(key: string, shape: Shape): Term {
  const known = terms.get(key)
  if (known) return known
  const made = new Term(terms.size, shape)
  terms.set(key, made)
  return made
}

const empty = term('empty', { kind: 'empty' })

function sequence(first: Term, rest: Term): Term {
  if (first === empty) return rest
  if (rest === empty) return first
  return term(`sequence ${first.id} ${rest.id}`, { kind: 'sequence', first, rest })
}

/** Of terms, some of which may match nothing at all. */
function choice(options: readonly (Term | undefined)[]): Term | undefined {
  const open = options.flatMap((option) => {
    if (option === undefined) return []
    return option.shape.kind === 'choice' ? option.shape.options : [option]
  })
  const unique = [...new Set(open)].sort((a, b) => a.id - b.id)
  if (unique.length <= 1) return unique[0]
  return term(`choice ${unique.map(({ id }) => id)}`, { kind: 'choice', options: unique })
}

function repeat(body: Term, min: number, max: number): Term {
  if (max === 0) return empty
  return term(`repeat ${body.id} ${min} ${max}`, { kind: 'repeat', body, min, max })
}

function isNullable(shape: Shape): boolean {
  switch (shape.kind) {
    case 'empty':
      return true
    case 'set':
      return false
    case 'sequence':
      return shape.first.nullable && shape.rest.nullable
    case 'choice':
      return shape.options.some((option) => option.nullable)
    case 'repeat':
      return shape.min === 0 || shape.body.nullable
  }
}

function derivative(shape: Shape, byte: number): Term | undefined {
  switch (shape.kind) {
    case 'empty':
      return undefined
    case 'set':
      return shape.set[byte] ? empty : undefined
    case 'sequence': {
      const first = shape.first.derive(byte)
      const entered = first && sequence(first, shape.rest)
      return choice([entered, shape.first.nullable ? shape.rest.derive(byte) : undefined])
    }
    case 'choice':
      return choice(shape.options.map((option) => option.derive(byte)))
    case 'repeat': {
      const once = shape.body.derive(byte)
      return once && sequence(once, repeat(shape.body, Math.max(shape.min - 1, 0), shape.max - 1))
    }
  }
}

function fromNode(node: PatternNode): Term {
  switch (node.kind) {
    case 'set':
      return term(`set ${node.set.join('')}`, { kind: 'set', set: node.set })
    case 'sequence':
      return node.parts.map(fromNode).reduceRight((rest, first) => sequence(first, rest), empty)
    case 'choice':
      return choice(node.options.map(fromNode)) ?? empty
    case 'repeat':
      return repeat(fromNode(node.node), node.min, node.max)
    case 'capture':
      return fromNode(node.node)
    case 'assert':
      return empty
  }
}

/** The whole pattern, before any byte. */
export function residualOf(pattern: string): Residual {
  return fromNode(parsePattern(pattern))
}
