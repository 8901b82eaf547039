import type { PatternNode } from './parse_pattern.ts'

/** Bytes of an anchor at least, and so many that more are not looked for, and at most. */
const anchor_bytes_min = 3
const anchor_bytes_enough = 12
const anchors_max = 64

/** The items of a tree that follow each other; what is no sequence is one item. */
export function flatten(node: PatternNode): PatternNode[] {
  return node.kind === 'sequence' ? node.parts.flatMap(flatten) : [node]
}

/** Whether it matches the empty text, where its assertions allow. */
export function isNullable(node: PatternNode): boolean {
  switch (node.kind) {
    case 'set':
      return false
    case 'sequence':
      return node.parts.every(isNullable)
    case 'choice':
      return node.options.some(isNullable)
    case 'repeat':
      return node.min === 0 || isNullable(node.node)
    case 'capture':
      return isNullable(node.node)
    case 'assert':
      return true
  }
}

/** The bytes of a node that matches exactly one; null for any other. */
export function singleSet(node: PatternNode): Uint8Array | null {
  if (node.kind === 'set') return node.set
  if (node.kind === 'capture') return singleSet(node.node)
  if (node.kind === 'sequence' && node.parts.length === 1) return singleSet(node.parts[0]!)
  return null
}

interface Beginnings {
  readonly texts: readonly string[]
  /** Whether the texts are whole matches, so that what follows goes on from them. */
  readonly whole: boolean
}

const nothing: Beginnings = { texts: [''], whole: false }

/**
 * Literals in lower case, a character a byte, one of which every match of the items begins with, whatever its case.
 * @returns null when there are no such literals of three bytes, or too many
 */
export function anchorsOf(items: readonly PatternNode[]): string[] | null {
  const { texts } = beginnings({ kind: 'sequence', parts: items })
  const sorted = [...new Set(texts)].sort((a, b) => a.length - b.length)
  if (sorted.length === 0 || sorted[0]!.length < anchor_bytes_min) return null
  // one that begins with another is found by that
  const anchors: string[] = []
  for (const text of sorted) if (!anchors.some((anchor) => text.startsWith(anchor))) anchors.push(text)
  return anchors
}

function beginnings(node: PatternNode): Beginnings {
  switch (node.kind) {
    case 'set':
      return ofSet(node.set)
    case 'sequence':
      return ofSequence(node.parts)
    case 'choice':
      return join(node.options.map(beginnings))
    case 'repeat':
      return ofRepeat(node.node, node.min, node.max)
    case 'capture':
      return beginnings(node.node)
    case 'assert':
      return { texts: [''], whole: true }
  }
}

function ofSet(set: Uint8Array): Beginnings {
  const texts = new Set<string>()
  for (let byte = 0; byte < 256; byte++) {
    if (set[byte]) texts.add(String.fromCharCode(byte >= 65 && byte <= 90 ? byte | 0x20 : byte))
  }
  return texts.size > anchors_max ? nothing : { texts: [...texts], whole: true }
}

function ofSequence(parts: readonly PatternNode[]): Beginnings {
  let texts: readonly string[] = ['']
  for (const part of parts) {
    if (texts.every((text) => text.length >= anchor_bytes_enough)) return { texts, whole: false }
    const next = beginnings(part)
    // what is long enough is not multiplied
    const many = texts.length * next.texts.length > anchors_max
    if (many || (next.texts.length > 8 && texts.every((text) => text.length >= anchor_bytes_min)))
      return { texts, whole: false }
    texts = texts.flatMap((text) => next.texts.map((more) => text + more))
    if (!next.whole) return { texts, whole: false }
  }
  return { texts, whole: true }
}

function join(options: readonly Beginnings[]): Beginnings {
  const texts = options.flatMap((option) => option.texts)
  return texts.length > anchors_max * 4 ? nothing : { texts, whole: options.every((option) => option.whole) }
}

function ofRepeat(node: PatternNode, min: number, max: number): Beginnings {
  if (min === 0 && max === 1) return join([{ texts: [''], whole: true }, beginnings(node)])
  if (min === 0) return nothing
  const count = Math.min(min, anchor_bytes_enough)
  const { texts, whole } = ofSequence(Array.from({ length: count }, () => node))
  return { texts, whole: whole && min === max && count === min }
}
