const buckets = 8
/** Times that every window may move to a better bucket. */
const rounds = 3

/** A bucket: for each byte of its windows which low nibbles and which high ones they have, a bit each. */
interface Nibbles {
  readonly low: number[]
  readonly high: number[]
}

/**
 * Puts windows into eight buckets so that each bucket's nibbles, taken together, admit few other windows of usual text.
 * @param weights how frequent each byte is
 */
export function intoBuckets(
  windows: readonly Uint8Array[],
  folds: boolean,
  weights: readonly number[],
): Uint8Array[][] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const shares = Array.from({ length: 16 }, (_, high) => {
    return weights.slice(high * 16, high * 16 + 16).map((weight) => weight / total)
  })
  const nibbles = windows.map((window) => nibblesOf(window, folds))
  const bucket_of: number[] = windows.map(() => -1)
  const cost = (members: readonly number[]) => admitted(members, nibbles, shares)
  const members = Array.from({ length: buckets }, (): number[] => [])
  const costs = members.map(() => 0)
  for (let round = 0; round < rounds; round++) {
    for (const i of windows.keys()) {
      const from = bucket_of[i]!
      if (from >= 0) {
        members[from] = members[from]!.filter((member) => member !== i)
        costs[from] = cost(members[from]!)
      }
      const grown = members.map((bucket) => cost([...bucket, i]))
      let to = 0
      for (let b = 1; b < buckets; b++) if (grown[b]! - costs[b]! < grown[to]! - costs[to]!) to = b
      bucket_of[i] = to
      members[to]!.push(i)
      costs[to] = grown[to]!
    }
  }
  return members.map((bucket) => bucket.map((i) => windows[i]!))
}

/** A byte, in both cases when case does not matter. */
export function casesOf(byte: number, folds: boolean): number[] {
  return folds && byte >= 97 && byte <= 122 ? [byte, byte - 32] : [byte]
}

function nibblesOf(window: Uint8Array, folds: boolean): Nibbles {
  const low: number[] = []
  const high: number[] = []
  for (const byte of window) {
    const cases = casesOf(byte, folds)
    low.push(cases.reduce((bits, one) => bits | (1 << (one & 15)), 0))
    high.push(cases.reduce((bits, one) => bits | (1 << (one >> 4)), 0))
  }
  return { low, high }
}

/** The share of windows of usual text that a bucket with these members admits. */
function admitted(
  members: readonly number[],
  nibbles: readonly Nibbles[],
  shares: readonly number[][],
): number {
  if (members.length === 0) return 0
  let product = 1
  for (let i = 0; i < nibbles[members[0]!]!.low.length; i++) {
    let low = 0
    let high = 0
    for (const member of members) {
      low |= nibbles[member]!.low[i]!
      high |= nibbles[member]!.high[i]!
    }
    let sum = 0
    for (let h = 0; h < 16; h++) {
      if (((high >> h) & 1) === 0) continue
      for (let l = 0; l < 16; l++) if ((low >> l) & 1) sum += shares[h]![l]!
    }
    product *= sum
  }
  return product
}
