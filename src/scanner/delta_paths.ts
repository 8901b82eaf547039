import { type ProviderShape, providers } from './providers.ts'

/**
 * Where the pieces of one text stand in the events of a stream, and what tells the texts of one stream apart. `[]` is any
 * element.
 */
export interface DeltaPaths {
  /** Strings that are joined over events. */
  readonly text: readonly string[]
  /** As `text`, but the numbers and kinds of the event itself (not of objects within) do not part them. */
  readonly counted_text: readonly string[]
  /** Integers of the objects on the way that tell texts apart. */
  readonly index: readonly string[]
  /** Strings of the objects on the way that tell texts apart. */
  readonly kind: readonly string[]
  /** Objects and arrays that spell a text out again, behind it or in the same event. */
  readonly spelling: readonly string[]
  /** The same, of documents in which they come before the text. */
  readonly spelling_first: readonly string[]
  /** Strings that are scanned and told of, but never altered. */
  readonly kept: readonly string[]
  /** The same, and to look random is what they are for. */
  readonly sealed: readonly string[]
  /** Path of the model's name in a JSON body. */
  readonly model: readonly string[]
}

/** All providers' shapes in one: which service sends a stream need not be known to read it. */
export const deltaPaths: DeltaPaths = {
  text: all((provider) => provider.text),
  counted_text: all((provider) => provider.counted_text),
  index: all((provider) => provider.index),
  kind: all((provider) => provider.kind),
  spelling: all((provider) => provider.spelling),
  spelling_first: all((provider) => provider.spelling_first),
  kept: all((provider) => provider.kept),
  sealed: all((provider) => provider.sealed),
  model: ['model'],
}

function all(pathsOf: (provider: ProviderShape) => readonly string[] | undefined): readonly string[] {
  return [...new Set(providers.flatMap((provider) => pathsOf(provider) ?? []))]
}
