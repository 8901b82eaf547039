/** How much a benchmark does: `tiny` runs in the tests and only shows that it still works; `full` measures. */
export type Size = 'tiny' | 'full'

/** One figure of a benchmark. */
export interface Measurement {
  readonly name: string
  readonly value: number
  /** `MB/s`, `requests/s`, `ms`; `x` for a ratio. */
  readonly unit: string
  /** Spread, counts and conditions, in a few words. */
  readonly note?: string
}

/** What each `bench/*.ts` that can be run exports. Throws when a result is wrong: a fast wrong answer is no result. */
export interface Benchmark {
  readonly name: string
  run(size: Size): Promise<readonly Measurement[]>
}
