/** A seeded generator of pseudo-random numbers: the same seed gives the same sequence on every machine. */
export interface Random {
  /** Whole number in [0, bound). */
  below(bound: number): number
  /** Whole number in [least, most]. */
  between(least: number, most: number): number
  pick<T>(items: readonly T[]): T
  /** `count` characters of the alphabet. */
  text(alphabet: string, count: number): string
}

/** FNV-1a, 32 bits: turns a name into a seed. */
export function hashName(name: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash
}

/** splitmix32 (Steele, Lea and Flood's SplitMix, narrowed to 32 bits): small, and good enough for test data. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
  const below = (bound: number) => Math.floor((next() / 0x1_0000_0000) * bound)
  return {
    below,
    between: (least, most) => least + below(most - least + 1),
    pick: (items) => items[below(items.length)]!,
    text: (alphabet, count) => Array.from({ length: count }, () => alphabet[below(alphabet.length)]).join(''),
  }
}
