const buckets = 8
/** Times that every literal may move to a better window and bucket. */
const rounds = 2
/** What the model of single bytes weighs beside the three bytes that were counted. */
const model_share = 1.5
const bytes_in_kib = 1024

/** A window with how often it stands in a KiB of text. */
export interface CountedWindow {
  readonly bytes: Uint8Array
  readonly count: number
}

/** What text is expected to be like. */
export interface ExpectedText {
  /** How frequent each byte is, relatively. */
  readonly weights: readonly number[]
  /** The most frequent windows. */
  readonly counted: readonly CountedWindow[]
}

/** For each byte of a window which low nibbles and which high ones, a bit each: low, high, low, … */
type Nibbles = readonly number[]

interface Placed {
  readonly window: Uint8Array
  readonly bucket: number
}

/**
 * Chooses one of each literal's windows and a bucket for it, so that each bucket's nibbles, taken together, admit little of the
 * expected text.
 * @param choices the windows of each literal
 * @param folds whether both cases of a letter are meant
 */
export function intoBuckets(
  choices: readonly (readonly Uint8Array[])[],
  folds: boolean,
  expected: ExpectedText,
): Placed[] {
  const shares = sharesOf(expected.weights)
  const counted = expected.counted.map(({ bytes, count }) => ({ nibbles: nibblesOf(bytes, false), count }))
  const nibbles = choices.map((windows) => windows.map((window) => nibblesOf(window, folds)))
  const members = Array.from({ length: buckets }, () => new Map<number, Nibbles>())
  const placed: { window: number; bucket: number }[] = []
  const together = (bucket: ReadonlyMap<number, Nibbles>) => [...bucket.values()].reduce(join, nothing)
  const cost = (all: Nibbles) => admitted(all, shares, counted)
  for (let round = 0; round < rounds; round++) {
    for (const [i, windows] of nibbles.entries()) {
      if (placed[i]) members[placed[i].bucket]!.delete(i)
      let least = Number.POSITIVE_INFINITY
      for (const [bucket, others] of members.entries()) {
        const before = together(others)
        const base = cost(before)
        for (const [window, own] of windows.entries()) {
          const growth = cost(join(before, own)) - base
          if (growth >= least) continue
          least = growth
          placed[i] = { window, bucket }
        }
      }
      const { window, bucket } = placed[i]!
      members[bucket]!.set(i, windows[window]!)
    }
  }
  return placed.map(({ window, bucket }, i) => ({ window: choices[i]![window]!, bucket }))
}

const nothing: Nibbles = [0, 0, 0, 0, 0, 0]

function join(a: Nibbles, b: Nibbles): Nibbles {
  return a.map((bits, i) => bits | b[i]!)
}

/** A byte, in both cases when case does not matter. */
export function casesOf(byte: number, folds: boolean): number[] {
  return folds && byte >= 97 && byte <= 122 ? [byte, byte - 32] : [byte]
}

function nibblesOf(window: Uint8Array, folds: boolean): Nibbles {
  return [...window].flatMap((byte) => {
    const cases = casesOf(byte, folds)
    return [
      cases.reduce((bits, one) => bits | (1 << (one & 15)), 0),
      cases.reduce((bits, one) => bits | (1 << (one >> 4)), 0),
    ]
  })
}

/** The share of text that each byte is, by its high nibble and low nibble. */
function sharesOf(weights: readonly number[]): number[][] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return Array.from({ length: 16 }, (_, high) =>
    weights.slice(high * 16, high * 16 + 16).map((weight) => weight / total),
  )
}

/** Windows of a KiB of the expected text that these nibbles admit. */
function admitted(
  all: Nibbles,
  shares: readonly number[][],
  counted: readonly { readonly nibbles: Nibbles; readonly count: number }[],
): number {
  let product = model_share * bytes_in_kib
  for (let i = 0; i < all.length; i += 2) {
    let sum = 0
    for (let high = 0; high < 16; high++) {
      if (((all[i + 1]! >> high) & 1) === 0) continue
      for (let low = 0; low < 16; low++) if ((all[i]! >> low) & 1) sum += shares[high]![low]!
    }
    product *= sum
  }
  let count = product
  for (const one of counted) {
    const { nibbles } = one
    if (
      all[0]! & nibbles[0]! &&
      all[1]! & nibbles[1]! &&
      all[2]! & nibbles[2]! &&
      all[3]! & nibbles[3]! &&
      all[4]! & nibbles[4]! &&
      all[5]! & nibbles[5]!
    )
      count += one.count
  }
  return count
}
