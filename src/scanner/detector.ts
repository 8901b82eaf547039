import type { PatternNode } from './parse_pattern.ts'

/**
 * One entry of the detector catalogue, as data. A *token* detector is found by an anchor (a literal that the
 * automaton looks for) and proved by a pattern that is run as a DFA from the token's first byte.
 */
export interface TokenDetector {
  readonly kind: 'token'
  /** Stable id, `[a-z0-9-]+`, at most 40 characters: it stands in the label. */
  readonly id: string
  readonly vendor: string
  /** Literals, case-sensitive, 3 to 40 ASCII bytes; shorter ones make too many candidates. */
  readonly anchors: readonly string[]
  /**
   * Bytes between the token's first byte and the anchor's; 0 when the anchor begins the token. Such a token must have
   * `left: 'word'`: the engine holds what may precede the anchor from where a word begins.
   */
  readonly anchor_offset?: number
  /**
   * Most bytes between the token's first byte and the anchor's, for anchors behind a part of varying length; default
   * `anchor_offset`, at most 255. Each start in between is tried, and the leftmost that matches counts.
   */
  readonly anchor_offset_max?: number
  /**
   * The whole token from its first byte, anchor included, in RE2 syntax without captures, anchors or look-around.
   * Longest match wins. A strong prefix should leave the length open (`{36,255}`) so that nothing is left over.
   */
  readonly pattern: string
  /** What may stand just before the token: `word` (default) no letter, digit or `_`; `any` anything. */
  readonly left?: 'word' | 'any'
  /** What may stand just behind it: `word` (default) no letter, digit or `_`; `any` anything. */
  readonly right?: 'word' | 'any'
  /** Bytes at the start that are kept, such as `https://hooks.slack.com/services/`; default 0. */
  readonly keep_prefix?: number
  /** True when the anchors are part of the secret: none of their bytes is ever shown. */
  readonly secret_anchor?: boolean
  /** Least Shannon entropy in bits a character of the bytes behind the anchor; default 0. */
  readonly entropy_min?: number
  /** Checksum that raises confidence; never rejects. */
  readonly checksum?: 'crc32-base62-6' | 'crc32-hex-8' | 'crc32-hex-8-le' | 'crc32-hex-8-body' | 'bech32'
  /**
   * True for formats that the vendor documents as public or as an id (`sid`, client ids). Reported, not masked, unless
   * the user says otherwise.
   */
  readonly identifier?: boolean
  /** True when only samples or other tools' rules show the format, and no page of the vendor's states it. */
  readonly unconfirmed?: boolean
  /** A token of this format in the generator's template syntax, see `corpus/secrets/generate.ts`. */
  readonly sample: string
  /** Where the format is documented: a vendor's page or a public description. */
  readonly source: string
}

/** A named block with a begin and an end line, such as a PEM private key: masked from begin to end. */
export interface BlockDetector {
  readonly kind: 'block'
  readonly id: string
  readonly vendor: string
  /** Literal that begins every block of this kind. */
  readonly begin: string
  /** Must follow within 64 bytes of `begin`, on the same line: `PRIVATE KEY`. Empty: nothing must. */
  readonly begin_contains: string
  /** Literal that begins the end line; the block ends behind that line's `-----`, or with the stream. */
  readonly end: string
  readonly source: string
}

/** Found by the engine's own code instead of a table: `generic-key-value`, `url-password`, `bearer-token`, `entropy`, … */
export interface BuiltinDetector {
  readonly kind: 'builtin'
  readonly id: string
  readonly vendor: string
  readonly source: string
}

/** One way in which a rule of the user's own may begin, taken apart; `readRule` makes it. */
export interface RuleDetector {
  readonly kind: 'rule'
  readonly id: string
  readonly vendor: string
  readonly source: string
  /** The whole expression, for errors. */
  readonly regex: string
  /** Lower case, a character a byte; one of them begins `prefix`, or `secret` when that is null. */
  readonly anchors: readonly string[]
  readonly left: 'word' | 'any'
  readonly right: 'word' | 'any'
  readonly prefix: PatternNode | null
  readonly secret: PatternNode
  /** What must follow the secret. */
  readonly suffix: PatternNode | null
  /** Whether the end of the text does for `suffix`; with none, nothing else does. */
  readonly end_does: boolean
  readonly entropy_min: number
  /** A secret that matches it whole is let pass; the same for all that the expression matches. */
  readonly allow_secret: PatternNode | null
  readonly allow_match: PatternNode | null
}

/** Any entry of the catalogue. */
export type Detector = TokenDetector | BlockDetector | BuiltinDetector
